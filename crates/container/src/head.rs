//! The head of a file: header, section table, meta record, block digests. See `FORMAT.md`.

use std::ops::Range;

use crate::digest::{BlockDigest, checksum};
use crate::error::{Error, Result};
use crate::kind::{FileKind, Kind};
use crate::layout::{
    ALIGNMENT, DIGEST_BYTES, ENTRY_BYTES, HEADER_BYTES, OLDEST_VERSION, VERSION, at, before_digests,
};
use crate::storage::Storage;

/// More sections than any catalog's fields need; a bound for what a forged header can ask for.
const MAX_SECTIONS: usize = 4096;
/// Bytes of a head at most: block digests of a 16 GiB file, and some room.
pub const MAX_HEAD_BYTES: usize = 24 << 20;

/// A section's place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The kind of its content.
    pub kind: Kind,
    /// Which of several of its kind, such as the number of a field.
    pub index: u32,
    /// Where its bytes are.
    pub range: Range<usize>,
    /// XXH3-64 of its bytes.
    pub checksum: u64,
}

/// The head of a file, checked against the file's length.
#[derive(Debug, Clone)]
pub struct Head {
    version: u32,
    length: usize,
    /// Bytes of the head itself.
    bytes: usize,
    meta: Vec<u8>,
    sections: Vec<Section>,
    block: usize,
    digests: Vec<BlockDigest>,
}

impl Head {
    /// Reads the head of a file: O(sections + blocks), whatever the sections hold.
    ///
    /// # Errors
    /// Wrong magic, a version out of range, a length other than the file's, a checksum that does not
    /// fit, sections that overlap, leave the file or are not aligned.
    pub fn read<S: Storage + ?Sized>(kind: FileKind, storage: &S) -> Result<Self> {
        let length = storage.length();
        let bytes = storage.read(0..HEADER_BYTES.min(length))?;
        let (head, needed) = check_header(kind, bytes, length as u64)?;
        let bytes = storage.read(0..needed)?;
        head.check(bytes)
    }

    /// Bytes of the head of a file whose first 64 bytes are these.
    ///
    /// # Errors
    /// Those of [`Head::read`] that the header shows.
    pub fn bytes_needed(kind: FileKind, header: &[u8], length: u64) -> Result<usize> {
        Ok(check_header(kind, header, length)?.1)
    }

    /// Format version that the file was written in.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Bytes of the whole file.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Bytes of the head.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Where the first section may start.
    pub fn body(&self) -> usize {
        self.bytes.next_multiple_of(ALIGNMENT).min(self.length)
    }

    /// The record that describes what the file holds; empty where the kind of file has none.
    pub fn meta(&self) -> &[u8] {
        &self.meta
    }

    /// The sections, in the order of the file.
    pub fn sections(&self) -> impl ExactSizeIterator<Item = &Section> {
        self.sections.iter()
    }

    /// The range of a section, when the file has it.
    pub fn find(&self, kind: Kind, index: u32) -> Option<Range<usize>> {
        self.sections
            .iter()
            .find(|s| s.kind == kind && s.index == index)
            .map(|s| s.range.clone())
    }

    /// The range of a section that must be there.
    ///
    /// # Errors
    /// The section is missing.
    pub fn need(&self, kind: Kind, index: u32) -> Result<Range<usize>> {
        self.find(kind, index).ok_or(Error::MissingSection { kind })
    }

    /// The range of a section that must be there and have `expected` bytes.
    ///
    /// # Errors
    /// The section is missing or of another size.
    pub fn sized(&self, kind: Kind, index: u32, expected: u64) -> Result<Range<usize>> {
        let range = self.need(kind, index)?;
        if range.len() as u64 != expected {
            return Err(Error::value(
                format!("section {kind} {index}"),
                format!("{expected} bytes"),
                range.len(),
            ));
        }
        Ok(range)
    }

    /// The ranges of whole blocks that hold `range`: what is fetched for it, so that each block can be verified.
    /// The head is left out: it is what blocks are verified by.
    pub fn blocks_of(&self, range: &Range<usize>) -> Range<usize> {
        let body = self.body();
        let range = range.start.max(body)..range.end.min(self.length);
        if self.block == 0 || range.is_empty() {
            return range;
        }
        let start = body + (range.start - body) / self.block * self.block;
        let end = body + (range.end - body).next_multiple_of(self.block);
        start..end.min(self.length)
    }

    /// Compares a part of the file that came alone with its block digests.
    ///
    /// # Errors
    /// A part that does not consist of whole blocks, or a block that is not as it was written.
    pub fn verify_blocks(&self, start: usize, bytes: &[u8]) -> Result<()> {
        let (body, end) = (self.body(), start.saturating_add(bytes.len()));
        let range = |expected: String, found: String| Error::Range {
            start: start as u64,
            end: end as u64,
            expected,
            found,
        };
        if self.block == 0 {
            let expected = "a file with block digests".into();
            return Err(range(expected, "one without".into()));
        }
        let whole = start >= body
            && (start - body).is_multiple_of(self.block)
            && (end == self.length
                || (end < self.length && (end - body).is_multiple_of(self.block)));
        if !whole {
            let expected = format!("whole blocks of {} bytes from byte {body}", self.block);
            return Err(range(expected, format!("{} bytes", bytes.len())));
        }
        let first = (start - body) / self.block;
        let stored = self.digests.get(first..).unwrap_or_default();
        for (i, (block, expected)) in bytes.chunks(self.block).zip(stored).enumerate() {
            let found = BlockDigest::of(block);
            if found != *expected {
                return Err(Error::Checksum {
                    place: format!("block {}", first + i),
                    expected: expected.to_string(),
                    found: found.to_string(),
                });
            }
        }
        Ok(())
    }

    /// Reads every byte: each section against its checksum, each block against its digest, each byte between
    /// sections against zero.
    ///
    /// # Errors
    /// The first section or gap that is not as it was written, or that is not here.
    pub fn verify<S: Storage + ?Sized>(&self, storage: &S) -> Result<()> {
        let mut end = self.bytes;
        for section in &self.sections {
            let gap = storage.read(end..section.range.start)?;
            if let Some(at) = gap.iter().position(|&b| b != 0) {
                return Err(Error::value(
                    format!("padding, byte {}", end + at),
                    0,
                    gap[at],
                ));
            }
            self.verify_section(section, storage)?;
            end = section.range.end;
        }
        if self.block > 0 {
            self.verify_blocks(self.body(), storage.read(self.body()..self.length)?)?;
        }
        Ok(())
    }

    /// Reads a section and compares it with its checksum.
    ///
    /// # Errors
    /// A section that is not as it was written, or that is not here.
    pub fn verify_section<S: Storage + ?Sized>(
        &self,
        section: &Section,
        storage: &S,
    ) -> Result<()> {
        let found = checksum(storage.read(section.range.clone())?);
        if found != section.checksum {
            return Err(Error::Checksum {
                place: format!("section {} {}", section.kind, section.index),
                expected: format!("{:016x}", section.checksum),
                found: format!("{found:016x}"),
            });
        }
        Ok(())
    }
}

/// A header whose counts are within bounds.
struct Header {
    version: u32,
    length: usize,
    head: usize,
    meta: usize,
    sections: usize,
    block: usize,
}

/// Checks what the first 64 bytes of a file say; also how many bytes its head has.
fn check_header(kind: FileKind, bytes: &[u8], length: u64) -> Result<(Header, usize)> {
    let magic = kind.magic();
    let found = &bytes[..bytes.len().min(magic.len())];
    if found != magic {
        return Err(Error::Magic {
            expected: magic,
            found: found.to_vec(),
        });
    }
    let short = || Error::Length {
        expected: HEADER_BYTES as u64,
        found: length,
    };
    let bytes = bytes.get(..HEADER_BYTES).ok_or_else(short)?;
    let field = |at: usize| u32_at(bytes, at);
    let (version, needed) = (field(at::VERSION), field(at::OLDEST));
    if needed > VERSION {
        return Err(Error::TooNew {
            supported: VERSION,
            needed,
            written: version,
        });
    }
    if version < OLDEST_VERSION {
        return Err(Error::TooOld {
            oldest: OLDEST_VERSION,
            found: version,
        });
    }
    let stated = u64_at(bytes, at::LENGTH);
    let fits = usize::try_from(stated).ok().filter(|_| stated == length);
    let Some(file) = fits else {
        return Err(Error::Length {
            expected: stated,
            found: length,
        });
    };
    let header = Header {
        version,
        length: file,
        head: field(at::HEAD) as usize,
        meta: field(at::META) as usize,
        sections: field(at::SECTIONS) as usize,
        block: field(at::BLOCK) as usize,
    };
    if header.sections > MAX_SECTIONS {
        let expected = format!("at most {MAX_SECTIONS} sections");
        return Err(Error::value("header, byte 32", expected, header.sections));
    }
    if header.block != 0 && (!header.block.is_power_of_two() || header.block < ALIGNMENT) {
        let expected = "blocks of a power of two, 64 or more, or none";
        return Err(Error::value("header, byte 36", expected, header.block));
    }
    let expected = header.expected_head();
    if header.head as u64 != expected || header.head > file || header.head > MAX_HEAD_BYTES {
        return Err(Error::value(
            "header, byte 24",
            format!("a head of {expected} bytes, inside the file and at most {MAX_HEAD_BYTES}"),
            header.head,
        ));
    }
    let head = header.head;
    Ok((header, head))
}

impl Header {
    /// Header, table, meta record and digests, of which each begins at a multiple of 16.
    fn expected_head(&self) -> u64 {
        let before = before_digests(self.sections, self.meta) as u64;
        before + DIGEST_BYTES as u64 * self.blocks()
    }

    /// Blocks of the body. The head's length says where the body begins.
    fn blocks(&self) -> u64 {
        let body = self.head.next_multiple_of(ALIGNMENT);
        match self.block {
            0 => 0,
            block => self.length.saturating_sub(body).div_ceil(block) as u64,
        }
    }

    fn check(self, bytes: &[u8]) -> Result<Head> {
        let stored = u64_at(bytes, at::CHECKSUM);
        let found = head_checksum(bytes);
        if stored != found {
            return Err(Error::Checksum {
                place: "head".into(),
                expected: format!("{stored:016x}"),
                found: format!("{found:016x}"),
            });
        }
        let table = HEADER_BYTES..HEADER_BYTES + self.sections * ENTRY_BYTES;
        let meta = table.end..table.end + self.meta;
        let digests = &bytes[before_digests(self.sections, self.meta)..];
        let digests = digests.as_chunks().0.iter().map(|&raw| BlockDigest(raw));
        Ok(Head {
            sections: self.table(&bytes[table])?,
            meta: bytes[meta].to_vec(),
            digests: digests.collect(),
            version: self.version,
            length: self.length,
            bytes: self.head,
            block: self.block,
        })
    }

    fn table(&self, table: &[u8]) -> Result<Vec<Section>> {
        let mut sections = Vec::with_capacity(self.sections);
        let mut end = self.head;
        for (i, entry) in table.chunks_exact(ENTRY_BYTES).enumerate() {
            let kind = Kind(u32_at(entry, 0));
            let place = || format!("section table, entry {i} ({kind})");
            let (start, len) = (u64_at(entry, 8), u64_at(entry, 16));
            let range = usize::try_from(start)
                .ok()
                .zip(usize::try_from(len).ok())
                .and_then(|(start, len)| Some(start..start.checked_add(len)?))
                .filter(|range| range.end <= self.length);
            let Some(range) = range else {
                return Err(Error::value(
                    place(),
                    format!("a range inside the file's {} bytes", self.length),
                    format!("{len} bytes from {start}"),
                ));
            };
            if !range.start.is_multiple_of(ALIGNMENT) || range.start < end {
                return Err(Error::value(
                    place(),
                    format!("a start at a multiple of {ALIGNMENT}, {end} or later"),
                    range.start,
                ));
            }
            end = range.end;
            sections.push(Section {
                kind,
                index: u32_at(entry, 4),
                range,
                checksum: u64_at(entry, 24),
            });
        }
        if self.length != end {
            return Err(Error::value(
                "header, byte 16",
                format!("a file that ends with its last section, at {end}"),
                self.length,
            ));
        }
        Ok(sections)
    }
}

/// The checksum of a head without its own eight bytes.
pub(crate) fn head_checksum(head: &[u8]) -> u64 {
    let mut hashed = Vec::with_capacity(head.len());
    hashed.extend_from_slice(&head[..at::CHECKSUM]);
    hashed.extend_from_slice(&head[at::RESERVED..]);
    checksum(&hashed)
}

/// The number at `at`, which the caller knows to be inside.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let raw = bytes[at..].first_chunk().copied().unwrap_or_default();
    u32::from_le_bytes(raw)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let raw = bytes[at..].first_chunk().copied().unwrap_or_default();
    u64::from_le_bytes(raw)
}
