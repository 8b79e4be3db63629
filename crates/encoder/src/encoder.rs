use nearshelf_bytes::{Bytes, trim_heap};

use crate::config::{EncoderConfig, Precision};
use crate::engine::{Engine, Output};
use crate::error::{Error, Result};
use crate::fuse::Fusion;
use crate::pooling;
use crate::sha256_hex;
use crate::tokenizer::{Tokenizer, Tokens};

/// The bytes of a model directory's three files.
#[derive(Debug, Clone)]
pub struct ModelFiles<'a> {
    /// `encoder.json`; without it the defaults of sentence-transformers hold: mean pooling, 256
    /// tokens of at most 512 positions.
    pub config: Option<&'a [u8]>,
    /// `model.onnx`. The encoder may hold on to the bytes and read its word embeddings from them.
    pub model: Bytes,
    /// `tokenizer.json`.
    pub tokenizer: &'a [u8],
    /// Whether the caller compared the files with the digests in `config`, say with WebCrypto, which is
    /// faster at it than code in wasm. They are compared here otherwise.
    pub checked: bool,
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
    /// Opens the model directory `dir`, whose model is mapped.
    ///
    /// # Errors
    /// A file that is missing or unreadable, and all of [`Encoder::from_bytes`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn open(dir: &std::path::Path) -> Result<Self> {
        let read = |name: &str| {
            let path = dir.join(name);
            std::fs::read(&path).map_err(|source| Error::Io { path, source })
        };
        let config = match read("encoder.json") {
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => None,
            other => Some(other?),
        };
        let tokenizer = read("tokenizer.json")?;
        let path = dir.join("model.onnx");
        let model = Bytes::map(&path).map_err(|source| Error::Io { path, source })?;
        let encoder = Self::from_bytes(ModelFiles {
            config: config.as_deref(),
            model: model.clone(),
            tokenizer: &tokenizer,
            checked: false,
        });
        model.release();
        encoder
    }

    /// Opens a model from bytes.
    ///
    /// # Errors
    /// A digest other than `encoder.json`'s, a tokenizer or graph that cannot be read, dimensions
    /// other than those stated.
    pub fn from_bytes(files: ModelFiles<'_>) -> Result<Self> {
        let stated = files.config.map(EncoderConfig::from_json).transpose()?;
        let stated = stated.as_ref();
        let max_positions = stated.map_or(512, |c| c.max_positions);
        let precision = stated.map_or(Precision::Int8, |c| c.precision);
        let digest = |file, bytes: &[u8], expected: Option<&str>| match expected {
            Some(expected) if files.checked => Ok(expected.to_owned()),
            expected => checked_digest(file, bytes, expected),
        };
        // The two halves of the work have nothing to do with each other.
        let (tokenizer, model) = side_by_side(
            || {
                let expected = stated.map(|c| &*c.tokenizer_sha256);
                let digest = digest("tokenizer.json", files.tokenizer, expected)?;
                Ok((digest, Tokenizer::from_json(files.tokenizer)?))
            },
            || {
                let expected = stated.map(|c| &*c.model_sha256);
                let digest = digest("model.onnx", &files.model, expected)?;
                let quantize = precision == Precision::Int8;
                Ok((digest, Engine::load(&files.model, max_positions, quantize)?))
            },
        );
        let ((model_sha256, engine), (tokenizer_sha256, tokenizer)) = (model?, tokenizer?);
        // Vocabularies have no gaps: where there is an id that is too large, this is one.
        if let Some(rows) = engine.vocabulary()
            && let Ok(id) = u32::try_from(rows)
            && tokenizer.has(id)
        {
            return Err(Error::TokenRange { rows, id });
        }
        trim_heap();
        let config = match stated {
            Some(config) if config.dims != engine.dims() * config.heads.len().max(1) => {
                return Err(Error::Model {
                    place: "first output".into(),
                    expected: format!("{} dimensions (by encoder.json)", config.dims),
                    found: (engine.dims() * config.heads.len().max(1)).to_string(),
                });
            }
            Some(config) => config.clone(),
            None => EncoderConfig {
                pooling: Default::default(),
                heads: vec![],
                normalize: true,
                max_tokens: 256,
                max_positions,
                dims: engine.dims(),
                precision,
                model_sha256,
                tokenizer_sha256,
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
        let mut encoded = self.encode_packed(&[text])?;
        encoded.pop().ok_or(Error::NotFinite { found: f32::NAN })
    }

    /// Encodes texts in one run of the model.
    fn encode_packed(&self, texts: &[&str]) -> Result<Vec<Encoded>> {
        let tokenize = |text: &&str| self.tokenizer.encode(text, self.config.max_tokens);
        let tokens: Vec<Tokens> = texts.iter().map(tokenize).collect::<Result<_>>()?;
        let ids: Vec<&[u32]> = tokens.iter().map(|t| &t.ids[..]).collect();
        let pooled = |(output, tokens): (Output, &Tokens)| {
            let vector = match output {
                Output::Hidden(hidden) => match &self.config.heads[..] {
                    [] => pooling::pool(&hidden, self.config.dims, self.config.pooling),
                    heads => pooling::fuse(&hidden, self.engine.dims(), heads),
                },
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
        };
        self.engine
            .run(&ids)?
            .into_iter()
            .zip(&tokens)
            .map(pooled)
            .collect()
    }

    /// What of the model runs fused.
    pub fn fusion(&self) -> &Fusion {
        self.engine.fusion()
    }

    /// The ids that a text becomes, truncated as for encoding.
    ///
    /// # Errors
    /// Those of the tokenizer.
    pub fn tokenize(&self, text: &str) -> Result<Vec<u32>> {
        Ok(self.tokenizer.encode(text, self.config.max_tokens)?.ids)
    }
}

/// The SHA-256 of a file, which is compared with the one that is expected.
fn checked_digest(file: &'static str, bytes: &[u8], expected: Option<&str>) -> Result<String> {
    let found = sha256_hex(bytes);
    match expected {
        Some(expected) if expected != found => Err(Error::Digest {
            file,
            expected: expected.to_owned(),
            found,
        }),
        _ => Ok(found),
    }
}

/// Runs two functions, at the same time where there are threads.
fn side_by_side<A: Send, B>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B) -> (A, B) {
    #[cfg(target_arch = "wasm32")]
    return (a(), b());
    #[cfg(not(target_arch = "wasm32"))]
    std::thread::scope(|scope| {
        let a = scope.spawn(a);
        let b = b();
        (a.join().unwrap_or_else(|p| std::panic::resume_unwind(p)), b)
    })
}

/// Texts that one thread takes at a time.
const CHUNK: usize = 16;

impl Encoder {
    /// Encodes texts on `threads` threads, in their order; `done` is told how many are finished.
    ///
    /// Texts are independent of one another (ranges of quantization are a token's, or a text's where
    /// the graph runs unfused), so the vectors are the same for every number of threads.
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
                let texts: Vec<&str> = chunk.iter().map(AsRef::as_ref).collect();
                let encoded = self.encode_packed(&texts);
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
