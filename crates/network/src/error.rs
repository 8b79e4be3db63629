//! Why a network could not be opened or run.

use nearshelf_container::ErrorKind;

/// Why a network could not be opened or run. The caller knows the file's name and adds it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A section of the file is not as the format says.
    #[error(transparent)]
    File(#[from] nearshelf_container::Error),
    /// Numbers that no kernel can run.
    #[error(transparent)]
    Kernel(#[from] nearshelf_kernels::Error),
    /// Parts whose sizes do not fit together.
    #[error("{part}: expected {expected}, found {found}")]
    Shape {
        /// The part's name.
        part: String,
        /// The value that fits.
        expected: String,
        /// The value found.
        found: String,
    },
    /// A token id that has no embedding.
    #[error("expected token ids below {rows}, the rows of the word embeddings, found {id}")]
    Token {
        /// Rows of the word embeddings.
        rows: usize,
        /// The id.
        id: u32,
    },
    /// A text of more tokens than there are positions.
    #[error("expected a text of at most {positions} tokens, found {tokens}")]
    Position {
        /// Rows of the position embeddings.
        positions: usize,
        /// Tokens of the text.
        tokens: usize,
    },
}

impl Error {
    /// The kind of error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::File(error) => error.kind(),
            Error::Kernel(_) | Error::Shape { .. } => ErrorKind::Damaged,
            Error::Token { .. } => ErrorKind::Damaged,
            Error::Position { .. } => ErrorKind::Usage,
        }
    }
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
