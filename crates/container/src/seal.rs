//! Checksums for files that were changed by hand.

use crate::digest::{BlockDigest, checksum};
use crate::head::head_checksum;
use crate::layout::{ALIGNMENT, DIGEST_BYTES, ENTRY_BYTES, HEADER_BYTES, at, before_digests};

/// Gives a file that was changed by hand the length, digests and checksums of its bytes as they are now, as far as
/// its own numbers make sense: for tests and fuzzers, which look for damage that checksums do not see.
pub fn seal(file: &mut [u8]) {
    if file.len() < HEADER_BYTES {
        return;
    }
    let length = file.len() as u64;
    file[at::LENGTH..at::HEAD].copy_from_slice(&length.to_le_bytes());
    let number = |file: &[u8], at: usize| {
        let raw = file.get(at..at + 8).and_then(|raw| raw.first_chunk());
        usize::try_from(u64::from_le_bytes(raw.copied().unwrap_or_default())).unwrap_or(usize::MAX)
    };
    let short = |file: &[u8], at: usize| number(file, at) & 0xffff_ffff;
    let (head, sections) = (short(file, at::HEAD), short(file, at::SECTIONS));
    for entry in 0..sections.min(file.len() / ENTRY_BYTES) {
        let entry = HEADER_BYTES + entry * ENTRY_BYTES;
        let (start, bytes) = (number(file, entry + 8), number(file, entry + 16));
        let section = start
            .checked_add(bytes)
            .and_then(|end| file.get(start..end));
        let Some(sum) = section.map(checksum) else {
            continue;
        };
        if let Some(place) = file.get_mut(entry + 24..entry + 32) {
            place.copy_from_slice(&sum.to_le_bytes());
        }
    }
    seal_blocks(file, head);
    if let Some(head) = file.get(..head).filter(|head| head.len() >= HEADER_BYTES) {
        let sum = head_checksum(head).to_le_bytes();
        file[at::CHECKSUM..at::RESERVED].copy_from_slice(&sum);
    }
}

fn seal_blocks(file: &mut [u8], head: usize) {
    let short = |at: usize| {
        let raw = file[at..].first_chunk().copied().unwrap_or_default();
        u32::from_le_bytes(raw) as usize
    };
    let (sections, meta, block) = (short(at::SECTIONS), short(at::META), short(at::BLOCK));
    let body = head.next_multiple_of(ALIGNMENT);
    if block == 0 || body > file.len() || sections > file.len() {
        return;
    }
    let digests: Vec<BlockDigest> = file[body..].chunks(block).map(BlockDigest::of).collect();
    let at = before_digests(sections, meta);
    for (i, digest) in digests.iter().enumerate() {
        let place = at + i * DIGEST_BYTES;
        if let Some(place) = file.get_mut(place..place + DIGEST_BYTES) {
            place.copy_from_slice(&digest.0);
        }
    }
}
