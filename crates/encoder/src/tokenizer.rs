use tokenizers::pipeline::{EncodeOptions, Override, PipelineTokenizer};
use tokenizers::{TruncationParams, canonicalize_str, from_json};

use crate::engine::guarded;
use crate::error::{Error, Result};

/// A tokenizer that truncates and never pads.
pub struct Tokenizer {
    inner: PipelineTokenizer,
}

/// A text as the model takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Ids with the special tokens.
    pub ids: Vec<u32>,
    /// How many there were before truncation.
    pub untruncated: usize,
}

impl Tokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// Not a tokenizer of Hugging Face's.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        let error = |reason: String| Error::Tokenizer { reason };
        let text = std::str::from_utf8(json).map_err(|e| error(e.to_string()))?;
        let inner = guarded(|| {
            // Files written before tokenizers 1.0 are brought to its form; newer ones stay.
            let canonical = canonicalize_str(text).map_err(|e| e.to_string())?;
            from_json(&canonical).map_err(|e| e.to_string())
        })
        .map_err(error)?;
        Ok(Tokenizer { inner })
    }

    /// Whether there is a token of this id.
    pub fn has(&self, id: u32) -> bool {
        self.inner.get_model().id_to_token(id).is_some()
    }

    /// The ids of a text, cut to `max_tokens` with the special tokens kept.
    ///
    /// # Errors
    /// What the tokenizer library says.
    pub fn encode(&self, text: &str, max_tokens: usize) -> Result<Tokens> {
        let whole = self.ids(text, Override::Off)?;
        let untruncated = whole.len();
        let ids = if untruncated > max_tokens {
            let limit = TruncationParams {
                max_length: max_tokens,
                ..Default::default()
            };
            self.ids(text, Override::With(limit))?
        } else {
            whole
        };
        Ok(Tokens { ids, untruncated })
    }

    fn ids(&self, text: &str, truncation: Override<TruncationParams>) -> Result<Vec<u32>> {
        let options = EncodeOptions {
            padding: Override::Off,
            truncation,
            ..Default::default()
        };
        let encodings = guarded(|| {
            self.inner
                .encode(text, &options)
                .wait()
                .map_err(|e| e.to_string())
        })
        .map_err(|reason| Error::Tokenizer { reason })?;
        Ok(encodings
            .first()
            .map(|e| e.ids().iter().map(|token| token.id()).collect())
            .unwrap_or_default())
    }
}
