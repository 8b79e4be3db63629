//! Writes a BERT-family sentence encoder (`config.json`, `model.safetensors`, `tokenizer.json`) as
//! an ONNX model directory that nearshelf, ONNX Runtime and other engines read.
//!
//! With [`Precision::Int8`] the linear layers are quantized dynamically: activations in eight bits with
//! a scale for each token, weights in seven bits with a scale for each output channel, so that no
//! target's u8 × i8 multiply-add saturates. Embeddings are kept in eight bits per row.

mod bert;
mod config;
mod error;
mod graph;
mod quantize;
mod weights;

use std::fs;
use std::path::Path;

use nearshelf_encoder::{EncoderConfig, Pooling};
use prost::Message;

pub use config::BertConfig;
pub use error::{Error, Result};

/// What the linear layers and embeddings are stored as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Seven-bit weights, dynamically quantized activations: a quarter of the size.
    #[default]
    Int8,
    /// As trained.
    F32,
}

/// What an export wrote.
#[derive(Debug, Clone)]
pub struct Exported {
    /// The `encoder.json` beside the model.
    pub config: EncoderConfig,
    /// Size of `model.onnx` in bytes.
    pub model_bytes: u64,
}

/// Reads the encoder in `base` and writes `model.onnx`, `tokenizer.json` and `encoder.json` into
/// `out`. `encoder.json` is written last: a directory with it is complete.
///
/// # Errors
/// A file that is missing or not readable, a configuration that is not BERT's, a tensor that is
/// missing, of another shape or type, or holds numbers that are not finite.
pub fn export(base: &Path, out: &Path, precision: Precision) -> Result<Exported> {
    let bert = BertConfig::read(&base.join("config.json"))?;
    let weights = weights::Weights::open(&base.join("model.safetensors"))?;
    let tokenizer_path = base.join("tokenizer.json");
    let tokenizer = fs::read(&tokenizer_path).map_err(|e| Error::io(&tokenizer_path, e))?;
    let sentence = config::SentenceConfig::read(base)?;

    let model = bert::model(&bert, &weights, precision)?.encode_to_vec();
    let config = EncoderConfig {
        pooling: sentence.pooling.unwrap_or(Pooling::Mean),
        normalize: true,
        max_tokens: sentence
            .max_tokens
            .unwrap_or(bert.max_position_embeddings)
            .min(bert.max_position_embeddings),
        max_positions: bert.max_position_embeddings,
        dims: bert.hidden_size,
        precision: match precision {
            Precision::Int8 => "int8".into(),
            Precision::F32 => "f32".into(),
        },
        model_sha256: nearshelf_encoder::sha256_hex(&model),
        tokenizer_sha256: nearshelf_encoder::sha256_hex(&tokenizer),
    };

    fs::create_dir_all(out).map_err(|e| Error::io(out, e))?;
    let json = serde_json::to_string_pretty(&config).map_err(|e| Error::json(out, e))? + "\n";
    for (name, bytes) in [
        ("model.onnx", model.as_slice()),
        ("tokenizer.json", &tokenizer),
        ("encoder.json", json.as_bytes()),
    ] {
        write_whole(&out.join(name), bytes)?;
    }
    Ok(Exported {
        config,
        model_bytes: model.len() as u64,
    })
}

/// Writes beside the name, then renames: the file is there whole or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let part = path.with_extension("part");
    fs::write(&part, bytes)
        .and_then(|()| fs::rename(&part, path))
        .map_err(|e| {
            // Only what this call wrote; the error that matters is the one above.
            let _ = fs::remove_file(&part);
            Error::io(path, e)
        })
}
