//! Pooling of packed texts: one vector of each text's tokens.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use nearshelf_encoder::Pooling;

use crate::bert::params::{host, slice_of};
use crate::bert::rows::add;

/// `[tokens, hidden]` to `[texts, hidden]`.
pub(crate) struct Pool {
    pub lengths: Vec<usize>,
    pub pooling: Pooling,
}

impl Pool {
    /// The tokens of a text that count, and the weight of each.
    fn share(&self, length: usize) -> (usize, f32) {
        match self.pooling {
            Pooling::Mean => (length, 1.0 / length as f32),
            Pooling::Cls => (1, 1.0),
        }
    }
}

impl CustomOp1 for Pool {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let hidden = layout.dims()[1];
        let mut rows = slice_of(x, layout)?;
        let mut pooled = vec![0f32; self.lengths.len() * hidden];
        for (pooled, &length) in pooled.chunks_exact_mut(hidden).zip(&self.lengths) {
            let (text, rest) = rows.split_at(length * hidden);
            rows = rest;
            let (count, weight) = self.share(length);
            for row in text.chunks_exact(hidden).take(count) {
                add(pooled, row);
            }
            pooled.iter_mut().for_each(|x| *x *= weight);
        }
        Ok((
            CpuStorage::F32(pooled),
            Shape::from((self.lengths.len(), hidden)),
        ))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let hidden = x.dims()[1];
        let mut dx = vec![0f32; x.elem_count()];
        host(dy, |dy| {
            let mut rows = &mut dx[..];
            for (dy, &length) in dy.chunks_exact(hidden).zip(&self.lengths) {
                let (text, rest) = rows.split_at_mut(length * hidden);
                rows = rest;
                let (count, weight) = self.share(length);
                for row in text.chunks_exact_mut(hidden).take(count) {
                    row.iter_mut().zip(dy).for_each(|(x, dy)| *x = dy * weight);
                }
            }
        })?;
        Ok(Some(Tensor::from_vec(dx, x.shape(), x.device())?))
    }
}
