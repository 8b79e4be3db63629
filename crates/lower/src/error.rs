//! Why an ONNX model could not be read or run.

use nearshelf_container::ErrorKind;

/// Why an ONNX model could not be read or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model is not one that can be run.
    #[error("model.onnx, {place}: expected {expected}, found {found}")]
    Model {
        /// Input, output or node.
        place: String,
        /// The value that an encoder has there.
        expected: String,
        /// The value found.
        found: String,
    },
    /// The engine could not load or run the model.
    #[error("model.onnx, {step}: {reason}")]
    Engine {
        /// The step that failed.
        step: String,
        /// The engine's own error.
        reason: String,
    },
    /// The tokenizer gives ids that the model has no embedding for.
    #[error(
        "tokenizer.json and model.onnx do not fit: expected token ids below {rows}, the rows of the \
         embedding table, found {id}"
    )]
    TokenRange {
        /// Rows of the embedding table.
        rows: usize,
        /// The id.
        id: u32,
    },
}

impl Error {
    /// The kind of error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Model { .. } | Error::Engine { .. } | Error::TokenRange { .. } => {
                ErrorKind::Damaged
            }
        }
    }
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
