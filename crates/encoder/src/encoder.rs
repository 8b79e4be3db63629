//! An encoder: tokenizer, network, pooling.

use nearshelf_container::Bytes;
use nearshelf_network::{Fusion, Network};

use crate::config::EncoderConfig;
use crate::error::{Error, Result};
use crate::network_file::NetworkFile;
use crate::pooling;
use crate::tokenizer::{Tokenizer, Tokens};

/// A sentence encoder. `Send + Sync`: threads can share one.
pub struct Encoder {
    config: EncoderConfig,
    tokenizer: Tokenizer,
    engine: Engine,
}

/// The part that turns token ids into vectors.
#[allow(
    clippy::large_enum_variant,
    reason = "an encoder holds one, and without `onnx` there is one variant"
)]
pub(crate) enum Engine {
    /// Our kernels alone.
    Network(Network),
    /// A graph that was not recognised whole, on tract.
    #[cfg(feature = "onnx")]
    Graph(Box<nearshelf_lower::Graph>),
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
    /// Tokens that stand for something that the encoder does not know, such as another script: a vector of nothing
    /// else means nothing.
    pub unknown: usize,
}

impl Encoded {
    /// Whether the text was longer than the encoder reads.
    pub fn truncated(&self) -> bool {
        self.untruncated > self.tokens
    }
}

impl Encoder {
    /// Opens a network file, whose numbers are read where they are. `name` names it in errors; `checked` says
    /// that the caller compared the bytes with a digest, such as with WebCrypto, which is faster at it than code
    /// in wasm. The file's checksums are compared here otherwise.
    ///
    /// # Errors
    /// A file that is damaged, newer than this build, or whose parts do not fit one another.
    pub fn from_network(name: &str, bytes: Bytes, checked: bool) -> Result<Self> {
        let NetworkFile {
            config,
            tokenizer,
            network,
        } = NetworkFile::open(name, bytes, checked)?;
        Ok(Encoder {
            config,
            tokenizer,
            engine: Engine::Network(network),
        })
    }

    /// An encoder of parts that fit one another.
    #[cfg(feature = "onnx")]
    pub(crate) fn of(config: EncoderConfig, tokenizer: Tokenizer, engine: Engine) -> Self {
        Encoder {
            config,
            tokenizer,
            engine,
        }
    }

    /// The configuration that the model came with, or the defaults.
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
    pub(crate) fn encode_packed(&self, texts: &[&str]) -> Result<Vec<Encoded>> {
        let tokenize = |text: &&str| self.tokenizer.encode(text, self.config.max_tokens);
        let tokens: Vec<Tokens> = texts.iter().map(tokenize).collect::<Result<_>>()?;
        let ids: Vec<&[u32]> = tokens.iter().map(|t| &t.ids[..]).collect();
        let encoded =
            |(vector, tokens): (Vec<f32>, &Tokens)| match vector.iter().find(|x| !x.is_finite()) {
                Some(&found) => Err(Error::NotFinite { found }),
                None => Ok(Encoded {
                    vector,
                    tokens: tokens.ids.len(),
                    untruncated: tokens.untruncated,
                    unknown: tokens.unknown,
                }),
            };
        let vectors = self.vectors(&ids)?;
        vectors.into_iter().zip(&tokens).map(encoded).collect()
    }

    /// The unit vectors of texts that are token ids.
    fn vectors(&self, ids: &[&[u32]]) -> Result<Vec<Vec<f32>>> {
        match &self.engine {
            Engine::Network(network) => {
                let hidden = network.run(ids).map_err(Error::Run)?;
                let mut rest = &hidden[..];
                let pool = |ids: &&[u32]| {
                    let text;
                    (text, rest) = rest.split_at(ids.len() * network.channels());
                    self.pool(text, network.channels())
                };
                Ok(ids.iter().map(pool).collect())
            }
            #[cfg(feature = "onnx")]
            Engine::Graph(graph) => {
                use nearshelf_lower::Output;
                let pool = |output| match output {
                    Output::Hidden(hidden) => self.pool(&hidden, graph.dims()),
                    Output::Pooled(mut vector) => {
                        pooling::normalize(&mut vector);
                        vector
                    }
                };
                Ok(graph.run(ids)?.into_iter().map(pool).collect())
            }
        }
    }

    /// One unit vector of a text's token vectors `[tokens][channels]`.
    fn pool(&self, hidden: &[f32], channels: usize) -> Vec<f32> {
        match &self.config.heads[..] {
            [] => pooling::pool(hidden, channels, self.config.pooling),
            heads => pooling::fuse(hidden, channels, heads),
        }
    }

    /// The share of the model that runs fused.
    pub fn fusion(&self) -> Fusion {
        match &self.engine {
            Engine::Network(network) => Fusion::of(network),
            #[cfg(feature = "onnx")]
            Engine::Graph(graph) => graph.fusion().clone(),
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
