//! Writes a BERT-family sentence encoder (`config.json`, `model.safetensors`, `tokenizer.json`) as
//! an ONNX model directory that nearshelf, ONNX Runtime and other engines read.
//!
//! With [`Precision::Int8`] the linear layers are quantized dynamically: activations in eight bits with
//! a scale and a middle for each token, weights in seven bits with a scale for each output channel, so
//! that no target's u8 × i8 multiply-add saturates. Embeddings are kept in eight bits per row. Weights
//! are chosen for what the layers are given: see [`export`].

mod bert;
mod calibrate;
mod config;
mod error;
mod gptq;
mod graph;
mod matrix;
mod quantize;
mod weights;

use std::fs;
use std::path::Path;

use nearshelf_container::sha256;
use nearshelf_encoder::{
    EncoderConfig, ModelFiles, NETWORK_NAME, Pooling, Tokenizer, network_file,
};
use nearshelf_files::write_bytes;
use prost::Message;

use calibrate::Calibration;

pub use config::BertConfig;
pub use error::{Error, Result};
pub use nearshelf_encoder::Precision;

/// The result of an export.
#[derive(Debug, Clone)]
pub struct Exported {
    /// The `encoder.json` beside the model.
    pub config: EncoderConfig,
    /// Size of `model.onnx` in bytes.
    pub model_bytes: u64,
    /// Size of `network.nsn` in bytes; `None` for a model in f32, which is not made into one.
    pub network_bytes: Option<u64>,
}

/// Reads the encoder in `base` and writes `model.onnx`, `tokenizer.json`, `encoder.json` and, of an INT8 model,
/// the network file `network.nsn` into `out`. `encoder.json` is written last: a directory with it is complete.
///
/// INT8 weights are calibrated on sequences of random tokens, the same ones every time, and on
/// `texts`, if there are any: some hundred of the model's use make it a little better there.
///
/// # Errors
/// A file that is missing or not readable, a configuration that is not BERT's, a tensor that is
/// missing, of another shape or type, or holds numbers that are not finite.
pub fn export(base: &Path, out: &Path, precision: Precision, texts: &[&str]) -> Result<Exported> {
    let bert = BertConfig::read(&base.join("config.json"))?;
    let weights = weights::Weights::open(&base.join("model.safetensors"))?;
    let tokenizer_path = base.join("tokenizer.json");
    let tokenizer = fs::read(&tokenizer_path).map_err(|e| Error::io(&tokenizer_path, e))?;
    let sentence = config::SentenceConfig::read(base)?;

    let calibration = match precision {
        Precision::Int8 => {
            let sequences = sequences(&bert, &tokenizer, texts)?;
            Some(Calibration::new(&bert, &weights, &sequences)?)
        }
        Precision::F32 => None,
    };
    let model = bert::model(&bert, &weights, calibration)?.encode_to_vec();
    let config = EncoderConfig {
        pooling: match &sentence.heads[..] {
            [only] => only.pooling,
            _ => sentence.pooling.unwrap_or(Pooling::Mean),
        },
        heads: match &sentence.heads[..] {
            [_] => vec![],
            heads => heads.to_vec(),
        },
        normalize: true,
        max_tokens: sentence
            .max_tokens
            .unwrap_or(bert.max_position_embeddings)
            .min(bert.max_position_embeddings),
        max_positions: bert.max_position_embeddings,
        dims: bert.hidden_size * sentence.heads.len().max(1),
        precision,
        model_sha256: sha256(&model).to_string(),
        tokenizer_sha256: sha256(&tokenizer).to_string(),
    };

    fs::create_dir_all(out).map_err(|e| Error::io(out, e))?;
    let json = serde_json::to_string_pretty(&config).map_err(|e| Error::json(out, e))? + "\n";
    let model_bytes = model.len() as u64;
    let write = |name: &str, bytes: &[u8]| {
        let path = out.join(name);
        write_bytes(&path, bytes).map_err(|e| Error::io(&path, e))
    };
    // What an earlier export left would be of another model.
    let stale = out.join(NETWORK_NAME);
    match fs::remove_file(&stale) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(&stale, e)),
        _ => {}
    }
    write("model.onnx", &model)?;
    write("tokenizer.json", &tokenizer)?;
    let network = network_file(&ModelFiles {
        config: Some(json.as_bytes()),
        model: model.into(),
        tokenizer: &tokenizer,
        checked: true,
    })?;
    if let Some(network) = &network {
        write(NETWORK_NAME, network)?;
    }
    write("encoder.json", json.as_bytes())?;
    Ok(Exported {
        config,
        model_bytes,
        network_bytes: network.map(|network| network.len() as u64),
    })
}

/// The texts that the model is calibrated on, as token ids.
fn sequences(bert: &BertConfig, tokenizer: &[u8], texts: &[&str]) -> Result<Vec<Vec<u32>>> {
    let tokenizer = Tokenizer::from_json(tokenizer)?;
    let ids = |text: &str| -> Result<Vec<u32>> {
        let ids = tokenizer.encode(text, bert.max_position_embeddings)?.ids;
        match ids.iter().find(|&&id| id as usize >= bert.vocab_size) {
            Some(&id) => Err(nearshelf_encoder::Error::TokenRange {
                file: "tokenizer.json".into(),
                rows: bert.vocab_size,
                id,
            }
            .into()),
            None => Ok(ids),
        }
    };
    // An empty text is nothing but what every text begins and ends with.
    let empty = ids("")?;
    let ends = (
        empty.first().copied().unwrap_or_default(),
        empty.last().copied().unwrap_or_default(),
    );
    let texts = texts.iter().map(|text| ids(text)).collect::<Result<_>>()?;
    Ok(calibrate::sequences(bert.vocab_size, ends, texts))
}
