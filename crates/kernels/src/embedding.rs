//! Embeddings of tokens, and their layer norm.

use fearless_simd::{Simd, f32x16, i32x16, prelude::*};

use crate::backend::Backend;
use crate::error::{Error, Result, finite};
use crate::isa::{Isa, Work};
use crate::norm::LayerNorm;
use crate::reduce::LANES;

/// The tables behind a token's first vector. Words stay quantized: of each table only the rows of a
/// text's tokens are read.
pub struct Embedding<'a> {
    /// `[vocabulary][channels]`.
    pub codes: &'a [i8],
    /// A word's embedding is its codes times its scale, `[vocabulary]`.
    pub scales: &'a [f32],
    /// Added to the token at each position, `[positions][channels]`: the embeddings of the position
    /// and of the token's type.
    pub positions: &'a [f32],
    /// The layer norm behind the sum.
    pub norm: &'a LayerNorm,
}

/// The first vectors of tokens, LayerNorm(scale · codes + position), into `out`, `[tokens][channels]`.
///
/// `tokens` gives the id and the position of each.
///
/// # Errors
/// An id or a position that has no row.
pub fn embed(
    isa: Isa,
    tables: &Embedding<'_>,
    tokens: impl Iterator<Item = (usize, usize)>,
    out: &mut [f32],
) -> Result<()> {
    isa.run(Embed {
        tables,
        tokens,
        out,
    })
}

struct Embed<'a, I> {
    tables: &'a Embedding<'a>,
    tokens: I,
    out: &'a mut [f32],
}

impl<I: Iterator<Item = (usize, usize)>> Work for Embed<'_, I> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<B: Backend>(self, backend: B) -> Result<()> {
        let (tables, simd) = (self.tables, backend.simd());
        let channels = tables.norm.channels();
        for ((id, position), out) in self.tokens.zip(self.out.chunks_exact_mut(channels)) {
            let codes = tables.codes.get(id * channels..(id + 1) * channels);
            let (Some(codes), Some(&scale)) = (codes, tables.scales.get(id)) else {
                return Err(missing("word", tables.scales.len(), id));
            };
            let at = position * channels;
            let Some(added) = tables.positions.get(at..at + channels) else {
                let rows = tables.positions.len() / channels;
                return Err(missing("position", rows, position));
            };
            row(simd, codes, scale, added, out);
            tables.norm.apply(simd, out);
        }
        Ok(())
    }
}

fn missing(part: &str, rows: usize, found: usize) -> Error {
    Error::Shape {
        part: format!("{part} embeddings"),
        expected: format!("an id below {rows}"),
        found: found.to_string(),
    }
}

#[inline(always)]
fn row<S: Simd>(simd: S, codes: &[i8], scale: f32, added: &[f32], out: &mut [f32]) {
    let scale = f32x16::splat(simd, scale);
    let codes = codes.as_chunks::<LANES>().0;
    let added = added.as_chunks::<LANES>().0;
    let out = out.as_chunks_mut::<LANES>().0;
    for ((codes, added), out) in codes.iter().zip(added).zip(out) {
        let codes: f32x16<S> = i32x16::simd_from(simd, codes.map(i32::from)).to_float();
        *out = (codes * scale + f32x16::simd_from(simd, *added)).into();
    }
}

impl Embedding<'_> {
    /// Checks sizes and numbers once, so that [`embed`] can be called with any ids.
    ///
    /// # Errors
    /// Tables that do not fit together, numbers that are not finite.
    pub fn check(&self) -> Result<()> {
        let channels = self.norm.channels();
        if self.codes.len() != self.scales.len() * channels
            || !self.positions.len().is_multiple_of(channels)
        {
            return Err(Error::Shape {
                part: "embeddings".into(),
                expected: format!("rows of {channels}, and a scale for each word"),
                found: format!(
                    "{} codes, {} scales, {} values for positions",
                    self.codes.len(),
                    self.scales.len(),
                    self.positions.len()
                ),
            });
        }
        self.norm.check_range("embeddings")?;
        finite("word embeddings", "scale", self.scales)?;
        finite("position embeddings", "value", self.positions)
    }
}
