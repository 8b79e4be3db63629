//! Why a shelf could not be built.

use std::io;
use std::path::{Path, PathBuf};

use crate::items::Report;

/// Why a shelf could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of lines has one that says nothing.
    #[error("{path}, {reason}")]
    Lines {
        /// The file.
        path: PathBuf,
        /// The line's number, and what was expected there.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
    /// The file of items cannot be read.
    #[error(transparent)]
    Table(#[from] nearshelf_tables::Error),
    /// The file as a whole lacks what items need.
    #[error("{path}, {place}: expected {expected}, found {found}")]
    Items {
        /// The file.
        path: PathBuf,
        /// Line or column.
        place: String,
        /// The value asked for.
        expected: String,
        /// The value found.
        found: String,
    },
    /// No row gave an item.
    #[error("{path}: expected at least one item, found none among {} rows{}", .report.rows, .report.first_problem())]
    Empty {
        /// The file.
        path: PathBuf,
        /// Problems of the rows.
        report: Report,
    },
    /// Rows were left out or changed although `strict` forbids it.
    #[error("{path}: expected no problems (--strict), found {}{}", .report.problem_count(), .report.first_problem())]
    Strict {
        /// The file.
        path: PathBuf,
        /// Problems of the rows.
        report: Report,
    },
    /// There is something of another kind where the shelf should go.
    #[error("{path}: expected a shelf, an empty directory or nothing, found other files")]
    Occupied {
        /// The place.
        path: PathBuf,
    },
    /// Another update is at work on the shelf.
    #[error("{path}: expected no other update at work, found one: wait until it has ended")]
    Locked {
        /// The shelf.
        path: PathBuf,
    },
    /// There is no shelf.
    #[error("{path}: expected a shelf that this version built, found {found}")]
    NoShelf {
        /// The place.
        path: PathBuf,
        /// The file that is missing.
        found: String,
    },
    /// A shard that is mapped whole could not be read.
    #[error("a shard: expected all of its bytes, found a part")]
    Unreadable,
    /// An option out of range.
    #[error("{option}: expected {expected}, found {found}")]
    Option {
        /// The option.
        option: &'static str,
        /// The values that it may have.
        expected: String,
        /// Its description.
        found: String,
    },
    /// The model could not be opened, or not encode a text.
    #[error(transparent)]
    Encoder(#[from] nearshelf_encoder::Error),
    /// A shard could not be laid out.
    #[error("shard {shard}: {source}")]
    Shard {
        /// Its number.
        shard: usize,
        /// Why.
        source: nearshelf_index::Error,
    },
    /// The shelf is not what it should be.
    #[error(transparent)]
    Catalog(#[from] nearshelf_catalog::Error),
    /// A thread could not be started.
    #[error("threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl Error {
    pub(crate) fn io(path: &Path, source: impl Into<io::Error>) -> Self {
        Error::Io {
            path: path.to_owned(),
            source: source.into(),
        }
    }
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
