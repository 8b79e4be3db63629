//! Configuration files of BERT and of sentence-transformers.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use nearshelf_encoder::{Head, Pooling};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// The part of a BERT `config.json` that shapes the network.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[allow(missing_docs, reason = "the names are those of the file")]
pub struct BertConfig {
    pub model_type: String,
    pub hidden_size: usize,
    pub intermediate_size: usize,
    pub num_attention_heads: usize,
    pub num_hidden_layers: usize,
    pub vocab_size: usize,
    pub max_position_embeddings: usize,
    pub type_vocab_size: usize,
    pub layer_norm_eps: f32,
    pub hidden_act: String,
    #[serde(default = "absolute")]
    pub position_embedding_type: String,
}

fn absolute() -> String {
    "absolute".into()
}

impl BertConfig {
    /// Reads and checks `config.json`.
    ///
    /// # Errors
    /// The file is missing, not JSON, lacks a field, or describes another kind of network.
    pub fn read(path: &Path) -> Result<Self> {
        let config: BertConfig = read_json(path)?;
        let check = |field, fits: bool, expected: &str, found: &dyn ToString| {
            if fits {
                return Ok(());
            }
            Err(Error::Config {
                path: path.to_owned(),
                field,
                expected: expected.to_owned(),
                found: found.to_string(),
            })
        };
        check(
            "model_type",
            config.model_type == "bert",
            "\"bert\"",
            &config.model_type,
        )?;
        check(
            "position_embedding_type",
            config.position_embedding_type == "absolute",
            "\"absolute\"",
            &config.position_embedding_type,
        )?;
        check(
            "hidden_act",
            matches!(config.hidden_act.as_str(), "gelu" | "relu"),
            "\"gelu\" or \"relu\"",
            &config.hidden_act,
        )?;
        let sizes = [
            ("hidden_size", config.hidden_size),
            ("intermediate_size", config.intermediate_size),
            ("num_hidden_layers", config.num_hidden_layers),
            ("vocab_size", config.vocab_size),
            ("max_position_embeddings", config.max_position_embeddings),
            ("type_vocab_size", config.type_vocab_size),
            ("num_attention_heads", config.num_attention_heads),
        ];
        for (field, size) in sizes {
            check(
                field,
                (1..1 << 24).contains(&size),
                "a size of 1 to 2^24",
                &size,
            )?;
        }
        check(
            "num_attention_heads",
            config
                .hidden_size
                .is_multiple_of(config.num_attention_heads),
            &format!("a divisor of hidden_size, {}", config.hidden_size),
            &config.num_attention_heads,
        )?;
        Ok(config)
    }
}

/// The settings in files beside the model, where they are there: those of sentence-transformers, and
/// `heads.json`, which training writes.
#[derive(Debug, Default)]
pub(crate) struct SentenceConfig {
    pub pooling: Option<Pooling>,
    pub max_tokens: Option<usize>,
    pub heads: Vec<Head>,
}

#[derive(Deserialize)]
struct PoolingFile {
    #[serde(default)]
    pooling_mode_cls_token: bool,
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
}

#[derive(Deserialize)]
struct SentenceFile {
    max_seq_length: Option<usize>,
}

impl SentenceConfig {
    pub fn read(base: &Path) -> Result<Self> {
        let path = base.join("1_Pooling/config.json");
        let pooling = match optional(read_json::<PoolingFile>(&path))? {
            None => None,
            Some(file) => match (file.pooling_mode_cls_token, file.pooling_mode_mean_tokens) {
                (false, true) => Some(Pooling::Mean),
                (true, false) => Some(Pooling::Cls),
                (cls, mean) => {
                    return Err(Error::Config {
                        path,
                        field: "pooling_mode_*",
                        expected: "either mean or cls".into(),
                        found: format!("mean: {mean}, cls: {cls}"),
                    });
                }
            },
        };
        let sentence = read_json::<SentenceFile>(&base.join("sentence_bert_config.json"));
        let max_tokens = optional(sentence)?.and_then(|file| file.max_seq_length);
        let heads = optional(read_json(&base.join("heads.json")))?.unwrap_or_default();
        Ok(SentenceConfig {
            pooling,
            max_tokens,
            heads,
        })
    }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = fs::read(path).map_err(|e| Error::io(path, e))?;
    serde_json::from_slice(&bytes).map_err(|e| Error::json(path, e))
}

fn optional<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
