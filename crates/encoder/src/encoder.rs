use std::fs;
use std::path::Path;

use crate::config::EncoderConfig;
use crate::engine::{Engine, Output};
use crate::error::{Error, Result};
use crate::pooling;
use crate::sha256_hex;
use crate::tokenizer::Tokenizer;

/// The bytes of a model directory's three files.
#[derive(Debug, Clone, Copy)]
pub struct ModelFiles<'a> {
    /// `encoder.json`; without it the defaults of sentence-transformers hold: mean pooling, 256
    /// tokens of at most 512 positions.
    pub config: Option<&'a [u8]>,
    /// `model.onnx`.
    pub model: &'a [u8],
    /// `tokenizer.json`.
    pub tokenizer: &'a [u8],
}

/// A sentence encoder. `Send + Sync`: threads can share one.
pub struct Encoder {
    config: EncoderConfig,
    tokenizer: Tokenizer,
    engine: Engine,
}

/// A text's vector, and what became of the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    /// The unit vector, `[dims]`.
    pub vector: Vec<f32>,
    /// Tokens that went into it.
    pub tokens: usize,
    /// Tokens of the whole text: more than `tokens` when it was truncated.
    pub untruncated: usize,
}

impl Encoded {
    /// Whether the text was longer than the encoder reads.
    pub fn truncated(&self) -> bool {
        self.untruncated > self.tokens
    }
}

impl Encoder {
    /// Opens the model directory `dir`.
    ///
    /// # Errors
    /// A file that is missing or unreadable, and all of [`Encoder::from_bytes`].
    pub fn open(dir: &Path) -> Result<Self> {
        let read = |name: &str| {
            let path = dir.join(name);
            fs::read(&path).map_err(|source| Error::Io { path, source })
        };
        let config = match read("encoder.json") {
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => None,
            other => Some(other?),
        };
        let (model, tokenizer) = (read("model.onnx")?, read("tokenizer.json")?);
        Self::from_bytes(ModelFiles {
            config: config.as_deref(),
            model: &model,
            tokenizer: &tokenizer,
        })
    }

    /// Opens a model from bytes.
    ///
    /// # Errors
    /// A digest other than `encoder.json`'s, a tokenizer or graph that cannot be read, dimensions
    /// other than those stated.
    pub fn from_bytes(files: ModelFiles<'_>) -> Result<Self> {
        let digests = (sha256_hex(files.model), sha256_hex(files.tokenizer));
        let stated = files.config.map(EncoderConfig::from_json).transpose()?;
        if let Some(config) = &stated {
            for (file, expected, found) in [
                ("model.onnx", &config.model_sha256, &digests.0),
                ("tokenizer.json", &config.tokenizer_sha256, &digests.1),
            ] {
                if expected != found {
                    let (expected, found) = (expected.clone(), found.clone());
                    return Err(Error::Digest {
                        file,
                        expected,
                        found,
                    });
                }
            }
        }
        let tokenizer = Tokenizer::from_json(files.tokenizer)?;
        let max_positions = stated.as_ref().map_or(512, |c| c.max_positions);
        let engine = Engine::load(files.model, max_positions)?;
        let config = match stated {
            Some(config) if config.dims != engine.dims() => {
                return Err(Error::Model {
                    place: "first output".into(),
                    expected: format!("{} dimensions (by encoder.json)", config.dims),
                    found: engine.dims().to_string(),
                });
            }
            Some(config) => config,
            None => EncoderConfig {
                pooling: Default::default(),
                normalize: true,
                max_tokens: 256,
                max_positions,
                dims: engine.dims(),
                precision: "unknown".into(),
                model_sha256: digests.0,
                tokenizer_sha256: digests.1,
            },
        };
        Ok(Encoder {
            config,
            tokenizer,
            engine,
        })
    }

    /// What `encoder.json` says, or the defaults.
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    /// Components of a vector.
    pub fn dims(&self) -> usize {
        self.config.dims
    }

    /// Truncates texts to `tokens` instead of the model's default.
    ///
    /// # Errors
    /// Fewer than 2 tokens, or more than the model has positions.
    pub fn with_max_tokens(mut self, tokens: usize) -> Result<Self> {
        if !(2..=self.config.max_positions).contains(&tokens) {
            return Err(Error::Length {
                positions: self.config.max_positions,
                asked: tokens,
            });
        }
        self.config.max_tokens = tokens;
        Ok(self)
    }

    /// Encodes one text. The result depends on the text alone, never on what else is encoded.
    ///
    /// # Errors
    /// A token without an embedding, or a model that gives no finite vector.
    pub fn encode(&self, text: &str) -> Result<Encoded> {
        let tokens = self.tokenizer.encode(text, self.config.max_tokens)?;
        let vector = match self.engine.run(&tokens.ids)? {
            Output::Hidden(hidden) => pooling::pool(&hidden, self.config.dims, self.config.pooling),
            Output::Pooled(mut vector) => {
                pooling::normalize(&mut vector);
                vector
            }
        };
        match vector.iter().find(|x| !x.is_finite()) {
            Some(&found) => Err(Error::NotFinite { found }),
            None => Ok(Encoded {
                vector,
                tokens: tokens.ids.len(),
                untruncated: tokens.untruncated,
            }),
        }
    }

    /// The ids that a text becomes, truncated as for encoding.
    ///
    /// # Errors
    /// Those of the tokenizer.
    pub fn tokenize(&self, text: &str) -> Result<Vec<u32>> {
        Ok(self.tokenizer.encode(text, self.config.max_tokens)?.ids)
    }
}

/// Texts that one thread takes at a time.
const CHUNK: usize = 16;

impl Encoder {
    /// Encodes texts on `threads` threads, in their order; `done` is told how many are finished.
    ///
    /// Texts are independent of one another (quantization ranges are per text), so the vectors are
    /// the same for every number of threads.
    ///
    /// # Errors
    /// The error of the first text that has one.
    pub fn encode_batch<T: AsRef<str> + Sync>(
        &self,
        texts: &[T],
        threads: usize,
        done: &(dyn Fn(usize) + Sync),
    ) -> Result<Vec<Encoded>> {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let next = AtomicUsize::new(0);
        let finished = AtomicUsize::new(0);
        let worker = || {
            let mut parts = Vec::new();
            loop {
                let start = next.fetch_add(CHUNK, Ordering::Relaxed);
                if start >= texts.len() {
                    return parts;
                }
                let chunk = &texts[start..texts.len().min(start + CHUNK)];
                let encoded: Result<Vec<Encoded>> = chunk
                    .iter()
                    .map(|text| self.encode(text.as_ref()))
                    .collect();
                let failed = encoded.is_err();
                parts.push((start, encoded));
                if failed {
                    // The others stop at their next chunk; all before this one are already taken.
                    next.fetch_max(texts.len(), Ordering::Relaxed);
                    return parts;
                }
                done(finished.fetch_add(chunk.len(), Ordering::Relaxed) + chunk.len());
            }
        };
        let mut parts = if threads <= 1 {
            worker()
        } else {
            std::thread::scope(|scope| {
                let handles: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
                handles
                    .into_iter()
                    .flat_map(|h| h.join().unwrap_or_else(|p| std::panic::resume_unwind(p)))
                    .collect()
            })
        };
        parts.sort_by_key(|(start, _)| *start);
        let mut all = Vec::with_capacity(texts.len());
        for (_, part) in parts {
            all.extend(part?);
        }
        Ok(all)
    }
}
