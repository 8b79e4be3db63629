//! Errors of data.

use std::io;
use std::path::{Path, PathBuf};

/// Why training data could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
    /// A file could not be read.
    #[error(transparent)]
    Table(#[from] nearshelf_tables::Error),
    /// A row is not what it has to be.
    #[error(
        "{path}, line {line}: expected {expected}, found {found} (skip_bad = true leaves such rows out)"
    )]
    Row {
        /// The file.
        path: PathBuf,
        /// Its line, counted from 1; for Parquet the row.
        line: u64,
        /// The value asked for.
        expected: String,
        /// The value found.
        found: String,
    },
    /// No row is left.
    #[error("{path}: expected rows, found none{first}")]
    Empty {
        /// The file.
        path: PathBuf,
        /// The first that was left out.
        first: String,
    },
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Error::Io {
            path: path.to_owned(),
            source,
        }
    }
}
