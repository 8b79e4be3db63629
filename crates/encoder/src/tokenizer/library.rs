//! Any tokenizer of Hugging Face's, by their library.

use nearshelf_container::guarded;
use tokenizers::pipeline::{EncodeOptions, Override, PipelineTokenizer};
use tokenizers::{TruncationParams, canonicalize_str, from_json};

use super::tokens::Tokens;
use crate::error::{Error, Result};

/// A tokenizer of the library's.
pub(super) struct Library {
    inner: PipelineTokenizer,
    /// The id of what it does not know, where it has one.
    unknown: Option<u32>,
}

impl Library {
    pub fn from_json(json: &[u8]) -> Result<Self> {
        let error = |reason: String| Error::Tokenizer { reason };
        let text = std::str::from_utf8(json).map_err(|e| error(e.to_string()))?;
        let inner = guarded(|| {
            // Files written before tokenizers 1.0 are brought to its form; newer ones stay.
            let canonical = canonicalize_str(text).map_err(|e| e.to_string())?;
            from_json(&canonical).map_err(|e| e.to_string())
        })
        .map_err(error)?;
        let unknown = unknown(&inner);
        Ok(Library { inner, unknown })
    }

    /// Whether there is a token of this id.
    pub fn has(&self, id: u32) -> bool {
        self.inner.get_model().id_to_token(id).is_some()
    }

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
        let unknown = ids.iter().filter(|&&id| Some(id) == self.unknown).count();
        Ok(Tokens {
            ids,
            untruncated,
            unknown,
        })
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

/// Ids among which the token for the unknown is looked for: it is one of the first of every vocabulary.
const FIRST_IDS: u32 = 1000;

/// The id of the token for what a tokenizer does not know. Models keep it to themselves; it has one of these names.
fn unknown(tokenizer: &PipelineTokenizer) -> Option<u32> {
    let model = tokenizer.get_model();
    (0..FIRST_IDS).find(|&id| {
        let token = model.id_to_token(id);
        token.is_some_and(|token| token == "[UNK]" || token == "<unk>")
    })
}
