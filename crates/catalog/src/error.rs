use std::io;
use std::path::PathBuf;

/// What can be wrong with a shelf. Each names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The manifest is damaged or not one.
    #[error("{file}, {place}: expected {expected}, found {found}")]
    Manifest {
        /// The manifest's name.
        file: String,
        /// Byte or field.
        place: String,
        /// What the format allows.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The manifest was written for newer readers.
    #[error(
        "{file}, byte 12: expected a shelf that readers of version {supported} can read, found one \
         that needs version {needed}; update nearshelf"
    )]
    TooNew {
        /// The manifest's name.
        file: String,
        /// The newest version that this build reads.
        supported: u32,
        /// The oldest reader version that the shelf asks for.
        needed: u32,
    },
    /// A file has another length than the manifest says.
    #[error("{file}: expected {expected} bytes (by the manifest), found {found}")]
    Length {
        /// The file.
        file: String,
        /// Bytes by the manifest.
        expected: u64,
        /// Bytes at hand.
        found: u64,
    },
    /// A file has another content than the manifest says.
    #[error("{file}: expected SHA-256 {expected} (by the manifest), found {found}")]
    Digest {
        /// The file.
        file: String,
        /// Digest by the manifest, in hexadecimal.
        expected: String,
        /// Digest of the bytes at hand.
        found: String,
    },
    /// A shard is not as its format says.
    #[error("{file}, {source}")]
    Shard {
        /// The file.
        file: String,
        /// What is wrong.
        source: nearshelf_index::Error,
    },
    /// A shard does not fit the manifest, or a column its shard.
    #[error("{file}, {place}: expected {expected}, found {found}")]
    Mismatch {
        /// The file.
        file: String,
        /// Header field or column.
        place: String,
        /// What was asked for.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A query vector that this shelf cannot compare with.
    #[error("query: expected a vector of {expected} finite numbers, found {found}")]
    Query {
        /// Dimensions of the shelf.
        expected: usize,
        /// What the vector is.
        found: String,
    },
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
