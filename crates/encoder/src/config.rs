//! The encoder's configuration: what graph and tokenizer do not say.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The way from the vectors of tokens to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// Their mean, padding left out.
    #[default]
    Mean,
    /// The first token's.
    Cls,
}

/// A part of a vector of several: the tokens pooled in one way, brought to length √(weight / Σ weights). An
/// inner product of such vectors is the weighted mean of the heads' cosines, so that one index serves all
/// of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The pooling of its tokens.
    pub pooling: Pooling,
    /// The weight of its cosine.
    pub weight: f32,
}

impl Head {
    /// The mean alone.
    pub fn mean() -> Self {
        Head {
            pooling: Pooling::Mean,
            weight: 1.0,
        }
    }
}

/// The numbers that linear layers are computed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Weights of 7 bits, activations of 8: fast, and the same bits on every machine.
    #[default]
    Int8,
    /// Single precision, slow, with the last bits as the machine rounds them: for comparisons.
    F32,
}

impl Precision {
    /// As `encoder.json` has it.
    pub fn name(self) -> &'static str {
        match self {
            Precision::Int8 => "int8",
            Precision::F32 => "f32",
        }
    }
}

/// The content of a model directory's `encoder.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EncoderConfig {
    /// The pooling of tokens.
    pub pooling: Pooling,
    /// Parts of the vector, each pooled in its own way; without any, the whole is pooled by `pooling`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heads: Vec<Head>,
    /// Whether vectors are brought to length 1. Shelves need it.
    pub normalize: bool,
    /// Tokens that a text is truncated to by default, the special ones counted.
    pub max_tokens: usize,
    /// Positions that the model has: the most that truncation can be set to.
    pub max_positions: usize,
    /// Components of a vector.
    pub dims: usize,
    /// The numbers that linear layers are computed with. A graph in f32 is quantized when it is opened as INT8.
    #[serde(default)]
    pub precision: Precision,
    /// SHA-256 of `model.onnx`.
    pub model_sha256: String,
    /// SHA-256 of `tokenizer.json`.
    pub tokenizer_sha256: String,
}

impl EncoderConfig {
    /// Parses and checks `encoder.json`.
    ///
    /// # Errors
    /// Not JSON, a field that is missing or out of range.
    #[cfg(feature = "onnx")]
    pub fn from_json(json: &[u8]) -> Result<Self> {
        const NAME: &str = "encoder.json";
        let config: EncoderConfig = serde_json::from_slice(json).map_err(|e| Error::Config {
            file: NAME.into(),
            place: format!("line {} column {}", e.line(), e.column()),
            expected: "an encoder's description".into(),
            found: e.to_string(),
        })?;
        config.check(NAME)?;
        Ok(config)
    }

    /// Checks that every field is in range; `file` names where they come from.
    pub(crate) fn check(&self, file: &str) -> Result<()> {
        let error = |field: &str, expected: String, found: String| Error::Config {
            file: file.to_owned(),
            place: format!("field {field}"),
            expected,
            found,
        };
        let check = |field: &str, range: std::ops::RangeInclusive<usize>, found: usize| {
            if range.contains(&found) {
                return Ok(());
            }
            let expected = format!("{} to {}", range.start(), range.end());
            Err(error(field, expected, found.to_string()))
        };
        check("dims", 1..=8192, self.dims)?;
        check("max_positions", 2..=1 << 16, self.max_positions)?;
        check("heads", 0..=8, self.heads.len())?;
        let unusable = |head: &&Head| !(1e-6..1e6).contains(&head.weight);
        if let Some(head) = self.heads.iter().find(unusable) {
            let expected = "weights of 1e-6 to 1e6".into();
            return Err(error("heads", expected, head.weight.to_string()));
        }
        check("max_tokens", 2..=self.max_positions, self.max_tokens)?;
        if !self.normalize {
            let expected = "true: a shelf compares unit vectors".into();
            return Err(error("normalize", expected, "false".into()));
        }
        Ok(())
    }
}
