//! Errors of a shelf or a search.

use nearshelf_catalog::Error as CatalogError;
use nearshelf_container::ErrorKind;
use nearshelf_encoder::Error as EncoderError;

/// An error of a shelf or a search.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The manifest, a shard or a query vector.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The query encoder.
    #[error(transparent)]
    Encoder(#[from] EncoderError),
    /// A file that is needed now was not attached.
    #[error("{file}: expected to be attached before the first query, found nothing")]
    Missing {
        /// The file.
        file: String,
    },
    /// A file that the shelf does not have.
    #[error("{file}: expected a file of the manifest, found none of this name")]
    Unknown {
        /// The name that was asked for.
        file: String,
    },
    /// A search by words alone in a shelf that has none.
    #[error("mode words: expected a shelf with words, found one without")]
    NoWords,
    /// The encoder's vectors are not those of the shelf.
    #[error("{model}: expected vectors of {shelf} dimensions, as the shelf has, found {found}")]
    Dimensions {
        /// The model's file.
        model: String,
        /// Dimensions of the shelf.
        shelf: usize,
        /// Dimensions of the model.
        found: usize,
    },
}

impl Error {
    /// The kind of error, by which programs decide.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Catalog(error) => error.kind(),
            Error::Encoder(error) => error.kind(),
            Error::Missing { .. } => ErrorKind::Missing,
            Error::Unknown { .. } | Error::NoWords => ErrorKind::Usage,
            Error::Dimensions { .. } => ErrorKind::Damaged,
        }
    }
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
