//! Embeddings as one operation of candle's: norm(word + position + type), for packed texts.

use std::sync::Mutex;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use crate::bert::norm;
use crate::bert::params::{EmbeddingParams, host, slice_of};
use crate::bert::rows::add;
use crate::bert::shape::Sizes;

pub(crate) struct Embed {
    sizes: Sizes,
    ids: Vec<u32>,
    /// Each token's place in its text.
    places: Vec<u32>,
    training: bool,
    saved: Mutex<Option<norm::Saved>>,
}

impl Embed {
    pub fn new(sizes: Sizes, ids: Vec<u32>, places: Vec<u32>, training: bool) -> Self {
        Embed {
            sizes,
            ids,
            places,
            training,
            saved: Mutex::new(None),
        }
    }
}

impl CustomOp1 for Embed {
    fn name(&self) -> &'static str {
        "embeddings"
    }

    fn cpu_fwd(&self, parameters: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let hidden = self.sizes.hidden;
        let p = EmbeddingParams::of(self.sizes, slice_of(parameters, layout)?);
        let mut x = vec![0f32; self.ids.len() * hidden];
        x.par_chunks_mut(hidden)
            .zip(self.ids.par_iter().zip(&self.places))
            .for_each(|(x, (&id, &place))| {
                x.copy_from_slice(&p.words[id as usize * hidden..][..hidden]);
                add(x, &p.positions[place as usize * hidden..][..hidden]);
                add(x, &p.types[..hidden]);
            });
        let saved = norm::forward(&mut x, p.norm_weight, p.norm_bias, self.sizes.eps);
        if self.training {
            *self.saved.lock().unwrap_or_else(|e| e.into_inner()) = Some(saved);
        }
        Ok((CpuStorage::F32(x), Shape::from((self.ids.len(), hidden))))
    }

    fn bwd(&self, parameters: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let saved = self.saved.lock().unwrap_or_else(|e| e.into_inner()).take();
        let Some(saved) = saved else {
            candle_core::bail!(
                "{}: a second backward pass, or one that was not asked for",
                self.name()
            );
        };
        let hidden = self.sizes.hidden;
        let mut dx = host(dy, <[f32]>::to_vec)?;
        let mut gradients = vec![0f32; self.sizes.embedding_parameters()];
        let g = EmbeddingParams::of(self.sizes, &mut gradients[..]);
        let (weight, bias) = host(parameters, |p| {
            let p = EmbeddingParams::of(self.sizes, p);
            norm::backward(&saved, p.norm_weight, &mut dx)
        })?;
        g.norm_weight.copy_from_slice(&weight);
        g.norm_bias.copy_from_slice(&bias);
        // One thread: a word may come twice.
        for (dx, (&id, &place)) in dx
            .chunks_exact(hidden)
            .zip(self.ids.iter().zip(&self.places))
        {
            add(&mut g.words[id as usize * hidden..][..hidden], dx);
            add(&mut g.positions[place as usize * hidden..][..hidden], dx);
            add(&mut g.types[..hidden], dx);
        }
        Ok(Some(Tensor::from_vec(
            gradients,
            parameters.shape(),
            parameters.device(),
        )?))
    }
}
