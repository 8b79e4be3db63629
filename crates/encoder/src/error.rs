use std::io;
use std::path::PathBuf;

/// Why a model could not be opened or a text not encoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the model directory could not be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// `encoder.json` is not what it should be.
    #[error("encoder.json{place}: expected {expected}, found {found}")]
    Config {
        /// Field or line, with a comma in front.
        place: String,
        /// What the file may say.
        expected: String,
        /// What it says.
        found: String,
    },
    /// A file is not the one that `encoder.json` describes.
    #[error("{file}: expected SHA-256 {expected} (by encoder.json), found {found}")]
    Digest {
        /// `model.onnx` or `tokenizer.json`.
        file: &'static str,
        /// Digest by `encoder.json`.
        expected: String,
        /// Digest of the bytes at hand.
        found: String,
    },
    /// `tokenizer.json` cannot be read.
    #[error("tokenizer.json: expected a Hugging Face tokenizer, found: {reason}")]
    Tokenizer {
        /// What the tokenizer library said.
        reason: String,
    },
    /// The model is not one that can be run.
    #[error("model.onnx, {place}: expected {expected}, found {found}")]
    Model {
        /// Input, output or node.
        place: String,
        /// What an encoder has there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The engine could not load or run the model.
    #[error("model.onnx, {step}: {reason}")]
    Engine {
        /// What was being done.
        step: String,
        /// What the engine said.
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
    /// More tokens were asked for than the model has positions.
    #[error("maximum length: expected 2 to {positions} tokens, found {asked}")]
    Length {
        /// Positions of the model.
        positions: usize,
        /// Tokens asked for.
        asked: usize,
    },
    /// The model gave a vector that is not one.
    #[error("model.onnx: expected a vector of finite numbers for the text, found {found}")]
    NotFinite {
        /// The first component that is not finite.
        found: f32,
    },
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
