//! Text → unit vector: a Hugging Face tokenizer and an ONNX sentence encoder, run by tract.
//!
//! An [`Encoder`] takes any `.onnx` model with the inputs `input_ids`, `attention_mask` and
//! (optionally) `token_type_ids` whose first output is the last hidden state `[batch, sequence,
//! dims]` or an already pooled `[batch, dims]`. What the graph itself does not say (pooling,
//! maximum length) stands in an [`EncoderConfig`], the `encoder.json` of a model directory.

mod config;
mod encoder;
mod engine;
mod error;
mod fuse;
mod ops;
mod pooling;
mod table;
mod tokenizer;

pub use config::{EncoderConfig, Head, Pooling, Precision};
pub use encoder::{Encoded, Encoder, ModelFiles};
pub use error::{Error, Result};
pub use fuse::Fusion;
pub use nearshelf_bytes::Bytes;
pub use nearshelf_kernels::Isa;
pub use tokenizer::{Tokenizer, Tokens};

use sha2::{Digest, Sha256};

/// SHA-256 in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}
