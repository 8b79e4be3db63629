//! The container of nearshelf's files: a head that describes the file, 64-byte-aligned sections, and digests
//! for the whole and for parts of it. `FORMAT.md` beside this crate has the layout.
//!
//! A [`Head`] is read from the first bytes alone. Sections are read through a [`Storage`]: the whole file
//! ([`Bytes`]), or those ranges of it that have come ([`Ranges`]).

mod bytes;
mod digest;
mod error;
mod guard;
mod head;
mod kind;
mod ranges;
mod seal;
mod storage;
mod values;
pub mod wire;
mod writer;

pub use bytes::{AlignedBytes, Bytes, trim_heap};
pub use digest::{BlockDigest, Digest, checksum, sha256};
pub use error::{Error, ErrorKind, Result};
pub use guard::guarded;
pub use head::{Head, MAX_HEAD_BYTES, Section};
pub use kind::{FileKind, Kind};
pub use ranges::Ranges;
#[doc(hidden)]
pub use seal::seal;
pub use storage::{Absent, Storage, Stored};
pub use values::{Number, Values};
pub use writer::FileWriter;

/// The format version that this build writes, and the newest that it reads.
pub const VERSION: u32 = 1;
/// The oldest format version that this build reads.
pub const OLDEST_VERSION: u32 = 1;
/// Sections start at multiples of this, in bytes: a cache line, and the widest vector register.
pub const ALIGNMENT: usize = 64;
/// Bytes that one block digest covers. A query needs rows from a dozen places of a shard; a block is the least
/// that is fetched for one of them.
pub const BLOCK_BYTES: usize = 16 << 10;
