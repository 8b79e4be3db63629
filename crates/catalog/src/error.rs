//! Errors of a shelf.

use std::io;
use std::path::PathBuf;

use nearshelf_container::ErrorKind;

/// An error of a shelf. Each names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
    /// A file is not as its format says.
    #[error("{file}, {source}")]
    File {
        /// The file.
        file: String,
        /// The fault.
        source: nearshelf_container::Error,
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
    /// A file, or its head, has another content than the manifest says.
    #[error("{file}: expected SHA-256 {expected} (by the manifest), found {found}")]
    Digest {
        /// The file.
        file: String,
        /// Digest by the manifest, in hexadecimal.
        expected: String,
        /// Digest of the bytes at hand.
        found: String,
    },
    /// Values that contradict one another, in a manifest, between it and a shard, or in a column.
    #[error("{file}, {place}: expected {expected}, found {found}")]
    Mismatch {
        /// The file.
        file: String,
        /// Field, record or column.
        place: String,
        /// The value that fits.
        expected: String,
        /// The value found.
        found: String,
    },
    /// A query vector that this shelf cannot compare with.
    #[error("query: expected a vector of {expected} finite numbers, found {found}")]
    Query {
        /// Dimensions of the shelf.
        expected: usize,
        /// The vector found.
        found: String,
    },
    /// A query by items that the attached shards do not hold.
    #[error("query: expected ids of items of the shelf, found {}", .ids.join(", "))]
    Items {
        /// The ids that are not there; empty where none was given to look for.
        ids: Vec<String>,
    },
    /// A filter that cannot be read, or that asks for what the shelf does not have.
    #[error("filter, {place}: expected {expected}, found {found}")]
    Filter {
        /// A byte of its text, or a field.
        place: String,
        /// The values that could stand there.
        expected: String,
        /// The text or value that stands there.
        found: String,
    },
    /// An option of a search that asks for what the shelf does not have, or that is out of bounds.
    #[error("{option}: expected {expected}, found {found}")]
    Option {
        /// The option.
        option: &'static str,
        /// The values that it could have.
        expected: String,
        /// The value that it has.
        found: String,
    },
}

impl Error {
    /// The kind of error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Io { .. } => ErrorKind::Io,
            Error::File { source, .. } => source.kind(),
            Error::Length { .. } | Error::Digest { .. } => ErrorKind::Altered,
            Error::Mismatch { .. } => ErrorKind::Damaged,
            Error::Query { .. }
            | Error::Items { .. }
            | Error::Filter { .. }
            | Error::Option { .. } => ErrorKind::Usage,
        }
    }
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
