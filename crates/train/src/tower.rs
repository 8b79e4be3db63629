//! A tower: a tokenizer, a BERT, and heads that make a vector of what comes out of it. Query and item
//! tower share their weights while they are trained.

use std::path::{Path, PathBuf};

use candle_core::{D, Device, Tensor};
use nearshelf_encoder::{Head, Tokenizer};

use crate::bert::{Bert, Packed};
use crate::error::{Error, Result};

/// Texts that are encoded at a time where no backward pass follows.
const CHUNK_TOKENS: usize = 4096;
/// Keeps the length of a vector of zeros from being divided by.
const TINY: f64 = 1e-24;

/// An encoder that can be trained.
pub struct Tower {
    /// Where it was read from: `config.json`, `tokenizer.json` and what else is copied on.
    base: PathBuf,
    pub(crate) bert: Bert,
    tokenizer: Tokenizer,
    heads: Vec<Head>,
}

impl Tower {
    /// Reads a sentence encoder's directory. Without `heads` the pooling is the mean.
    ///
    /// # Errors
    /// A file that is missing or not what it has to be.
    pub fn open(base: &Path, heads: &[Head], device: &Device) -> Result<Self> {
        let bert = Bert::load(base, device)?;
        let path = base.join("tokenizer.json");
        let json = std::fs::read(&path).map_err(|e| Error::io(&path, e))?;
        let tokenizer = Tokenizer::from_json(&json)?;
        Ok(Tower {
            base: base.to_owned(),
            bert,
            tokenizer,
            heads: match heads {
                [] => vec![Head::mean()],
                heads => heads.to_vec(),
            },
        })
    }

    /// A tower for tests, whose tokenizer knows nothing.
    #[cfg(test)]
    pub(crate) fn of(bert: Bert, heads: Vec<Head>) -> Self {
        let json = br#"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,
            "pre_tokenizer":null,"post_processor":null,"decoder":null,
            "model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"a"}}"#;
        Tower {
            base: PathBuf::new(),
            bert,
            tokenizer: Tokenizer::from_json(json).expect("a tokenizer"),
            heads,
        }
    }

    /// The network.
    pub fn bert(&self) -> &Bert {
        &self.bert
    }

    /// The heads.
    pub fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The directory that it was read from.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// Components of a vector.
    pub fn dims(&self) -> usize {
        self.heads.len() * self.bert.sizes().hidden
    }

    /// The ids of a text, cut to `max_tokens`.
    ///
    /// # Errors
    /// Those of the tokenizer.
    pub fn tokenize(&self, text: &str, max_tokens: usize) -> Result<Vec<u32>> {
        Ok(self.tokenizer.encode(text, max_tokens)?.ids)
    }

    /// Unit vectors `[texts, dims]`: the heads' unit vectors, each times the root of its weight, side by
    /// side, so that an inner product of two is Σ w_h · ⟨a_h, b_h⟩ (MMSE's post-fusion, arXiv 2303.11009).
    ///
    /// # Errors
    /// Those of [`Bert::forward`].
    pub fn vectors(&self, texts: &Packed, training: bool) -> Result<Tensor> {
        let hidden = self.bert.forward(texts, training)?;
        let total: f32 = self.heads.iter().map(|h| h.weight).sum();
        let parts = self
            .heads
            .iter()
            .map(|head| {
                let pooled = self.bert.pool(&hidden, texts, head.pooling)?;
                let length = (pooled.sqr()?.sum_keepdim(D::Minus1)? + TINY)?.sqrt()?;
                let unit = pooled.broadcast_div(&length)?;
                Ok((unit * f64::from((head.weight / total).sqrt()))?)
            })
            .collect::<Result<Vec<Tensor>>>()?;
        Ok(match &parts[..] {
            [only] => only.clone(),
            parts => Tensor::cat(parts, 1)?,
        })
    }

    /// Unit vectors of texts, `[texts][dims]`, without a backward pass. Texts of like length share a run.
    ///
    /// # Errors
    /// Those of [`Bert::forward`].
    pub fn encode(&self, texts: &[Vec<u32>]) -> Result<Vec<f32>> {
        let dims = self.dims();
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&i| texts[i].len());
        let mut vectors = vec![0f32; texts.len() * dims];
        let mut start = 0;
        while start < order.len() {
            let mut tokens = 0;
            let mut end = start;
            while end < order.len() && (end == start || tokens < CHUNK_TOKENS) {
                tokens += texts[order[end]].len();
                end += 1;
            }
            let chunk: Vec<&[u32]> = order[start..end].iter().map(|&i| &texts[i][..]).collect();
            let found = self.vectors(&Packed::new(&chunk), false)?;
            let found: Vec<f32> = found.flatten_all()?.to_vec1()?;
            for (row, &text) in found.chunks_exact(dims).zip(&order[start..end]) {
                vectors[text * dims..][..dims].copy_from_slice(row);
            }
            start = end;
        }
        Ok(vectors)
    }

    /// Writes a directory that `nearshelf export` reads, with the present weights.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, out: &Path) -> Result<()> {
        std::fs::create_dir_all(out).map_err(|e| Error::io(out, e))?;
        for name in ["config.json", "tokenizer.json", "sentence_bert_config.json"] {
            let from = self.base.join(name);
            if from.is_file() {
                std::fs::copy(&from, out.join(name)).map_err(|e| Error::io(&from, e))?;
            }
        }
        let heads = serde_json::to_vec_pretty(&self.heads).expect("a list of plain fields");
        write_whole(&out.join("heads.json"), &heads)?;
        let path = out.join("model.safetensors");
        let part = path.with_extension("part");
        candle_core::safetensors::save(&self.bert.tensors()?, &part)?;
        std::fs::rename(&part, &path).map_err(|e| Error::io(&path, e))
    }
}

/// Writes a file that appears under its name when it is complete.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    nearshelf_files::write_bytes(path, bytes).map_err(|e| Error::io(path, e))
}
