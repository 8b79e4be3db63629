//! Sizes and places of the format.

/// The format version that this build writes, and the newest that it reads.
pub const VERSION: u32 = 1;
/// The oldest format version that this build reads.
pub const OLDEST_VERSION: u32 = 1;
/// Sections start at multiples of this, in bytes: a cache line, and the widest vector register.
pub const ALIGNMENT: usize = 64;
/// Bytes that one block digest covers. A query needs rows from a dozen places of a shard; a block is the least
/// that is fetched for one of them.
pub const BLOCK_BYTES: usize = 16 << 10;

pub(crate) const HEADER_BYTES: usize = 64;
pub(crate) const ENTRY_BYTES: usize = 32;
pub(crate) const DIGEST_BYTES: usize = 16;

/// Places in the header, in bytes from its start.
pub(crate) mod at {
    pub const VERSION: usize = 8;
    pub const OLDEST: usize = 12;
    pub const LENGTH: usize = 16;
    pub const HEAD: usize = 24;
    pub const META: usize = 28;
    pub const SECTIONS: usize = 32;
    pub const BLOCK: usize = 36;
    pub const CHECKSUM: usize = 40;
    pub const RESERVED: usize = 48;
}

/// Bytes of header, table and meta record, up to where the digests begin.
pub(crate) fn before_digests(sections: usize, meta: usize) -> usize {
    (HEADER_BYTES + sections * ENTRY_BYTES + meta).next_multiple_of(DIGEST_BYTES)
}
