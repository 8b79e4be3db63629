//! Errors of reading and writing queries, judgements and runs.

use std::io;
use std::path::{Path, PathBuf};

/// Why queries, judgements or a run could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system said no.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("{path}, line {line}: expected {expected}, found {found}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The value in a good file.
        expected: String,
        /// The value found.
        found: String,
    },
    /// Nothing to measure.
    #[error("{path}: expected {expected}, found none")]
    Empty {
        /// The file.
        path: PathBuf,
        /// The part that is missing.
        expected: &'static str,
    },
}

impl Error {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Error::Io {
            path: path.to_owned(),
            source,
        }
    }
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
