//! The container: header, section table, 64-byte-aligned sections. See `FORMAT.md`.

mod reader;
mod writer;

use std::fmt;

pub use reader::{Section, Sections};
pub use writer::SectionWriter;

/// The first bytes of a shard. As in PNG, a high byte and line ends show transfers that changed text.
pub const MAGIC: [u8; 8] = *b"\x89NSS\r\n\x1a\n";
/// The version that this build writes, and the newest that it reads.
pub const VERSION: u32 = 1;
/// The oldest version that this build reads.
pub const OLDEST_VERSION: u32 = 1;
/// Sections start at multiples of this, in bytes: a cache line, and the widest vector register.
pub const ALIGNMENT: usize = 64;

pub(crate) const HEADER_BYTES: usize = 64;
pub(crate) const ENTRY_BYTES: usize = 32;
/// More sections than any catalog's fields need; a bound for what a forged header can ask for.
pub(crate) const MAX_SECTIONS: usize = 4096;

/// What a section holds: four ASCII letters, read as a little-endian number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(pub u32);

impl Kind {
    /// The kind with these four letters.
    pub const fn new(letters: &[u8; 4]) -> Self {
        Kind(u32::from_le_bytes(*letters))
    }

    /// Coarse vector codes, `u8 [items][stride]`.
    pub const CODES: Kind = Kind::new(b"CODE");
    /// Step of each vector's codes, `f32 [items]`.
    pub const STEPS: Kind = Kind::new(b"STEP");
    /// Residual codes, four bits each, `u8 [items][stride / 2]`.
    pub const RESIDUALS: Kind = Kind::new(b"RESI");
    /// Links, `u16 [items][48]`.
    pub const LINKS: Kind = Kind::new(b"LNK0");
    /// How many of the first nodes walks start from, one `u32`.
    pub const ENTRIES: Kind = Kind::new(b"ENTR");
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = self.0.to_le_bytes();
        if letters.iter().all(u8::is_ascii_graphic) {
            letters
                .iter()
                .try_for_each(|&b| write!(f, "{}", char::from(b)))
        } else {
            write!(f, "{:08x}", self.0)
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// XXH3-64, the checksum of headers and sections. File digests (SHA-256) stand in the manifest.
pub fn checksum(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let raw = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes([raw[0], raw[1], raw[2], raw[3]]))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let low = u32_at(bytes, at)?;
    let high = u32_at(bytes, at.checked_add(4)?)?;
    Some(u64::from(high) << 32 | u64::from(low))
}
