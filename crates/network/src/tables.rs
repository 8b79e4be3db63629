//! Embeddings of words and positions.

use nearshelf_container::Values;
use nearshelf_kernels::{Embedding, LayerNorm};

use crate::error::Result;

/// The tables behind a token's first vector: LayerNorm(scale · codes of the word + position).
#[derive(Debug, Clone)]
pub struct Tables {
    pub(crate) codes: Values<i8>,
    pub(crate) scales: Values<f32>,
    pub(crate) positions: Values<f32>,
    pub(crate) norm: LayerNorm,
}

impl Tables {
    /// Tables of `codes` `[vocabulary][channels]`, a scale for each word, and `positions`
    /// `[positions][channels]`, to which the embedding of the token's type was added.
    ///
    /// # Errors
    /// Sizes that do not fit, numbers that are not finite.
    pub fn new(
        codes: impl Into<Values<i8>>,
        scales: impl Into<Values<f32>>,
        positions: impl Into<Values<f32>>,
        norm: LayerNorm,
    ) -> Result<Self> {
        let tables = Tables {
            codes: codes.into(),
            scales: scales.into(),
            positions: positions.into(),
            norm,
        };
        tables.view().check()?;
        Ok(tables)
    }

    /// The tables as kernels take them.
    pub fn view(&self) -> Embedding<'_> {
        Embedding {
            codes: &self.codes,
            scales: &self.scales,
            positions: &self.positions,
            norm: &self.norm,
        }
    }

    /// Rows of the word embeddings.
    pub fn vocabulary(&self) -> usize {
        self.scales.len()
    }

    /// Rows of the position embeddings.
    pub fn positions(&self) -> usize {
        self.positions.len() / self.channels()
    }

    /// Channels of a token.
    pub fn channels(&self) -> usize {
        self.norm.channels()
    }
}
