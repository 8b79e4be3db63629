//! Errors of an export.

use std::io;
use std::path::{Path, PathBuf};

/// Why an encoder could not be exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
    /// A file is not the JSON that it should be.
    #[error("{path}: {source}")]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A configuration that is not supported.
    #[error("{path}, field {field}: expected {expected}, found {found}")]
    Config {
        /// The file.
        path: PathBuf,
        /// The field of the JSON object.
        field: &'static str,
        /// The values that are supported.
        expected: String,
        /// The value found.
        found: String,
    },
    /// The file is not in the safetensors format.
    #[error("{path}: expected the safetensors format, found: {reason}")]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// The reader's own error.
        reason: String,
    },
    /// The tokenizer cannot be used, or not with the model.
    #[error(transparent)]
    Tokenizer(#[from] nearshelf_encoder::Error),
    /// A tensor is missing or not what the configuration asks for.
    #[error("{path}, tensor {tensor}: expected {expected}, found {found}")]
    Tensor {
        /// The file.
        path: PathBuf,
        /// The tensor's name.
        tensor: String,
        /// The shape that the configuration asks for.
        expected: String,
        /// The value found.
        found: String,
    },
}

impl Error {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Error::Io {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn json(path: &Path, source: serde_json::Error) -> Self {
        Error::Json {
            path: path.to_owned(),
            source,
        }
    }
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
