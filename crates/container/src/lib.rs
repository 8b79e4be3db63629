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
mod layout;
mod ranges;
mod seal;
mod storage;
mod stored;
mod values;
pub mod wire;
mod writer;

pub use bytes::{AlignedBytes, Bytes, trim_heap};
pub use digest::{BlockDigest, Digest, checksum, sha256};
pub use error::{Error, ErrorKind, Result};
pub use guard::guarded;
pub use head::{Head, MAX_HEAD_BYTES, Section};
pub use kind::{FileKind, Kind};
pub use layout::{ALIGNMENT, BLOCK_BYTES, OLDEST_VERSION, VERSION};
pub use ranges::Ranges;
#[doc(hidden)]
pub use seal::seal;
pub use storage::{Absent, Storage};
pub use stored::Stored;
pub use values::{Number, Values};
pub use writer::FileWriter;
