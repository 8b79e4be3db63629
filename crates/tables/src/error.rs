//! Errors of tables.

use std::io;
use std::path::{Path, PathBuf};

/// Why a file of rows could not be read.
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
    /// The format is not known.
    #[error(
        "{path}: expected a name ending in .jsonl, .ndjson, .csv, .tsv or .parquet (.gz may follow)"
    )]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// The file as a whole cannot be read: not rows of it, which are given one by one.
    #[error("{path}, {place}: expected {expected}, found {found}")]
    Table {
        /// The file.
        path: PathBuf,
        /// Line, or the whole.
        place: String,
        /// The value asked for.
        expected: String,
        /// The value found.
        found: String,
    },
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Error::Io {
            path: path.to_owned(),
            source,
        }
    }
}
