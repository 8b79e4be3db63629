//! Why a model could not be opened or a text not encoded.

use std::io;
use std::path::PathBuf;

use nearshelf_container::ErrorKind;

/// Why a model could not be opened or a text not encoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the model directory could not be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
    /// The encoder's configuration is not what it should be.
    #[error("{file}, {place}: expected {expected}, found {found}")]
    Config {
        /// `encoder.json` or the network file.
        file: String,
        /// Field or line.
        place: String,
        /// The value that the file may have.
        expected: String,
        /// The value that it has.
        found: String,
    },
    /// A network file is not as its format says.
    #[error("{file}, {source}")]
    File {
        /// The file.
        file: String,
        /// The fault.
        source: nearshelf_container::Error,
    },
    /// The network of a network file cannot be run.
    #[error("{file}, {source}")]
    Network {
        /// The file.
        file: String,
        /// The fault.
        source: nearshelf_network::Error,
    },
    /// The network could not be run on a text.
    #[error("encoding: {0}")]
    Run(#[source] nearshelf_network::Error),
    /// The model as ONNX cannot be read or run.
    #[cfg(feature = "onnx")]
    #[error(transparent)]
    Graph(#[from] nearshelf_lower::Error),
    /// A model that only a build with ONNX can read.
    #[error(
        "{file}: expected a network file, found a model in ONNX, which needs the feature `onnx`"
    )]
    Unsupported {
        /// The file.
        file: String,
    },
    /// A file is not the one that `encoder.json` describes.
    #[error("{file}: expected SHA-256 {expected} (by encoder.json), found {found}")]
    Digest {
        /// `model.onnx` or `tokenizer.json`.
        file: String,
        /// Digest by `encoder.json`.
        expected: String,
        /// Digest of the bytes at hand.
        found: String,
    },
    /// A network file was made of another model than the one beside it.
    #[error(
        "{file}: expected one that was made of the model with SHA-256 {expected} (by encoder.json), found \
         one of {found}; remove it, or export the model again"
    )]
    Origin {
        /// The network file.
        file: String,
        /// Digest of `model.onnx` by `encoder.json`.
        expected: String,
        /// Digest of the model that the network file was made of.
        found: String,
    },
    /// `tokenizer.json` cannot be read.
    #[error("tokenizer.json: expected a Hugging Face tokenizer, found: {reason}")]
    Tokenizer {
        /// The tokenizer library's own words.
        reason: String,
    },
    /// The tokenizer gives ids that the model has no embedding for.
    #[error(
        "{file}: tokenizer and model do not fit: expected token ids below {rows}, the rows of the \
         embedding table, found {id}"
    )]
    TokenRange {
        /// The file that the tokenizer is from.
        file: String,
        /// Rows of the embedding table.
        rows: usize,
        /// The id.
        id: u32,
    },
    /// More tokens were asked for than the model has positions.
    #[error("maximum length: expected 2 to {positions} tokens, found {asked}")]
    Length {
        /// Positions of the model.
        positions: usize,
        /// Tokens asked for.
        asked: usize,
    },
    /// The model gave a vector that is not one.
    #[error("encoding: expected a vector of finite numbers for the text, found {found}")]
    NotFinite {
        /// The first component that is not finite.
        found: f32,
    },
}

impl Error {
    /// The kind of error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Io { .. } => ErrorKind::Io,
            Error::File { source, .. } => source.kind(),
            Error::Network { source, .. } => source.kind(),
            #[cfg(feature = "onnx")]
            Error::Graph(source) => source.kind(),
            Error::Unsupported { .. } => ErrorKind::Unsupported,
            Error::Digest { .. } | Error::Origin { .. } => ErrorKind::Altered,
            Error::Config { .. } | Error::Tokenizer { .. } | Error::TokenRange { .. } => {
                ErrorKind::Damaged
            }
            Error::Length { .. } => ErrorKind::Usage,
            Error::Run(_) | Error::NotFinite { .. } => ErrorKind::Encoding,
        }
    }
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
