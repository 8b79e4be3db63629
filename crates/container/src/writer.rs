//! Files as they are written: sections first in memory, then the head in front of them.

use std::io::{self, Write};

use sha2::{Digest as _, Sha256};

use crate::digest::checksum;
use crate::head::head_checksum;
use crate::kind::{FileKind, Kind};
use crate::layout::{
    ALIGNMENT, BLOCK_BYTES, DIGEST_BYTES, HEADER_BYTES, VERSION, at, before_digests,
};

/// Collects sections and writes them with a head in front.
#[derive(Debug)]
pub struct FileWriter {
    kind: FileKind,
    meta: Vec<u8>,
    sections: Vec<(Kind, u32, Vec<u8>)>,
    block: usize,
}

impl FileWriter {
    /// A file without sections. `meta` is the record that the head carries.
    pub fn new(kind: FileKind, meta: Vec<u8>) -> Self {
        FileWriter {
            kind,
            meta,
            sections: Vec::new(),
            // A manifest is always read whole.
            block: match kind {
                FileKind::Manifest | FileKind::Changes | FileKind::Items => 0,
                FileKind::Shard | FileKind::Network | FileKind::Words => BLOCK_BYTES,
            },
        }
    }

    /// Appends a section. Sections stand in the file in the order of these calls.
    pub fn push(&mut self, kind: Kind, index: u32, bytes: Vec<u8>) {
        self.sections.push((kind, index, bytes));
    }

    /// Writes the file.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        let (head, body) = self.head();
        out.write_all(&head)?;
        out.write_all(&[0; ALIGNMENT][..body - head.len()])?;
        self.each_part(body, |part| out.write_all(part))
    }

    /// The file in memory.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write_to(&mut bytes).expect("a Vec takes any bytes");
        bytes
    }

    /// The head, and where the body begins.
    fn head(&self) -> (Vec<u8>, usize) {
        // The number of digests depends on the body's length, not on where it begins.
        let sizes = self.sections.iter().map(|(_, _, bytes)| bytes.len());
        let length = sizes.fold(0usize, |end, size| end.next_multiple_of(ALIGNMENT) + size);
        let blocks = match self.block {
            0 => 0,
            block => length.div_ceil(block),
        };
        let digests_at = before_digests(self.sections.len(), self.meta.len());
        let head_bytes = digests_at + DIGEST_BYTES * blocks;
        let body = if length == 0 {
            head_bytes
        } else {
            head_bytes.next_multiple_of(ALIGNMENT)
        };

        let mut head = vec![0u8; HEADER_BYTES];
        let mut put = |at: usize, bytes: &[u8]| head[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &self.kind.magic());
        put(at::VERSION, &VERSION.to_le_bytes());
        // The oldest reader that understands this file; raised only by changes that break readers.
        put(at::OLDEST, &1u32.to_le_bytes());
        put(at::LENGTH, &((body + length) as u64).to_le_bytes());
        put(at::HEAD, &(head_bytes as u32).to_le_bytes());
        put(at::META, &(self.meta.len() as u32).to_le_bytes());
        put(at::SECTIONS, &(self.sections.len() as u32).to_le_bytes());
        put(at::BLOCK, &(self.block as u32).to_le_bytes());
        let mut end = body;
        for (kind, index, bytes) in &self.sections {
            let start = end.next_multiple_of(ALIGNMENT);
            head.extend_from_slice(&kind.0.to_le_bytes());
            head.extend_from_slice(&index.to_le_bytes());
            head.extend_from_slice(&(start as u64).to_le_bytes());
            head.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            head.extend_from_slice(&checksum(bytes).to_le_bytes());
            end = start + bytes.len();
        }
        head.extend_from_slice(&self.meta);
        head.resize(digests_at, 0);
        self.digests(body, &mut head);
        debug_assert_eq!(head.len(), head_bytes);
        let sum = head_checksum(&head);
        head[at::CHECKSUM..at::RESERVED].copy_from_slice(&sum.to_le_bytes());
        (head, body)
    }

    /// Appends the digest of each block of the body.
    fn digests(&self, body: usize, head: &mut Vec<u8>) {
        if self.block == 0 {
            return;
        }
        let (mut hash, mut filled) = (Sha256::new(), 0);
        let each = |mut part: &[u8]| {
            while !part.is_empty() {
                let (now, later) = part.split_at(part.len().min(self.block - filled));
                hash.update(now);
                filled += now.len();
                part = later;
                if filled == self.block {
                    head.extend_from_slice(&hash.finalize_reset()[..DIGEST_BYTES]);
                    filled = 0;
                }
            }
            Ok(())
        };
        self.each_part(body, each).expect("hashing does not fail");
        if filled > 0 {
            head.extend_from_slice(&hash.finalize()[..DIGEST_BYTES]);
        }
    }

    /// The sections and the zeros between them, in the order of the file.
    fn each_part(
        &self,
        body: usize,
        mut part: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut end = body;
        for (_, _, bytes) in &self.sections {
            let padding = end.next_multiple_of(ALIGNMENT) - end;
            part(&[0; ALIGNMENT][..padding])?;
            part(bytes)?;
            end += padding + bytes.len();
        }
        Ok(())
    }
}
