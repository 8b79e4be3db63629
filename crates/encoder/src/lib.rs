//! Text → unit vector: a tokenizer and a sentence encoder, both read in place from a network file.
//!
//! With the feature `onnx`, an [`Encoder`] also takes any `.onnx` model with the inputs `input_ids`,
//! `attention_mask` and (optionally) `token_type_ids` whose first output is the last hidden state
//! `[batch, sequence, dims]` or an already pooled `[batch, dims]`, and such a model becomes a network file where
//! its graph is recognised. Whatever the graph does not say (pooling, maximum length) stands in an
//! [`EncoderConfig`], the `encoder.json` of a model directory.

mod batch;
mod config;
#[cfg(not(target_arch = "wasm32"))]
mod directory;
mod encoder;
mod error;
mod network_file;
#[cfg(feature = "onnx")]
mod onnx;
mod pooling;
mod tokenizer;

pub use config::{EncoderConfig, Head, Pooling, Precision};
#[cfg(all(feature = "onnx", not(target_arch = "wasm32")))]
pub use directory::portable::Portable;
pub use encoder::{Encoded, Encoder};
pub use error::{Error, Result};
pub use nearshelf_container::{Bytes, ErrorKind};
pub use nearshelf_kernels::Isa;
pub use nearshelf_network::Fusion;
pub use network_file::{NETWORK_NAME, in_four_bits};
#[cfg(feature = "onnx")]
pub use onnx::{ModelFiles, network_file};
pub use tokenizer::{Tokenizer, Tokens};
