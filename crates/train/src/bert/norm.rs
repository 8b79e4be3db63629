//! Layer norm (Ba et al. 2016): y = (x - mean) / √(variance + ε) · weight + bias, for each row.

use rayon::prelude::*;

use crate::bert::rows::{BLOCK, add, total};

/// Values of a forward pass that a backward one needs.
pub(crate) struct Saved {
    /// (x - mean) / √(variance + ε), `[n][width]`.
    normal: Vec<f32>,
    /// 1 / √(variance + ε), `[n]`.
    factor: Vec<f32>,
}

/// Normalizes `x` of `[n][width]` in place.
pub(crate) fn forward(x: &mut [f32], weight: &[f32], bias: &[f32], eps: f32) -> Saved {
    let width = weight.len();
    let mut normal = vec![0f32; x.len()];
    let mut factor = vec![0f32; x.len() / width];
    x.par_chunks_mut(BLOCK * width)
        .zip(normal.par_chunks_mut(BLOCK * width))
        .zip(factor.par_chunks_mut(BLOCK))
        .for_each(|((x, normal), factor)| {
            let rows = x.chunks_exact_mut(width);
            for ((x, normal), factor) in rows.zip(normal.chunks_exact_mut(width)).zip(factor) {
                let mean = lanes(x.iter().copied()) / width as f32;
                let variance = lanes(x.iter().map(|x| (x - mean) * (x - mean))) / width as f32;
                *factor = 1.0 / (variance + eps).sqrt();
                for ((x, normal), (w, b)) in x.iter_mut().zip(normal).zip(weight.iter().zip(bias)) {
                    *normal = (*x - mean) * *factor;
                    *x = *normal * w + b;
                }
            }
        });
    Saved { normal, factor }
}

/// Turns dy into dx in place; gives the gradients of weight and bias.
pub(crate) fn backward(saved: &Saved, weight: &[f32], dy: &mut [f32]) -> (Vec<f32>, Vec<f32>) {
    let width = weight.len();
    let (weights, biases) = dy
        .par_chunks_mut(BLOCK * width)
        .zip(saved.normal.par_chunks(BLOCK * width))
        .zip(saved.factor.par_chunks(BLOCK))
        .map(|((dy, normal), factor)| {
            let mut dw = vec![0f32; width];
            let mut db = vec![0f32; width];
            let rows = dy.chunks_exact_mut(width).zip(normal.chunks_exact(width));
            for ((dy, normal), factor) in rows.zip(factor) {
                add(&mut db, dy);
                for ((dw, dy), normal) in dw.iter_mut().zip(&mut *dy).zip(normal) {
                    *dw += *dy * normal;
                }
                for (dy, w) in dy.iter_mut().zip(weight) {
                    *dy *= w;
                }
                let mean = lanes(dy.iter().copied()) / width as f32;
                let along = lanes(dy.iter().zip(normal).map(|(a, b)| a * b)) / width as f32;
                for (dy, normal) in dy.iter_mut().zip(normal) {
                    *dy = (*dy - mean - normal * along) * factor;
                }
            }
            (dw, db)
        })
        .unzip::<_, _, Vec<_>, Vec<_>>();
    (total(weights, width), total(biases, width))
}

/// A sum in sixteen lanes, which can be vectorized.
#[inline(always)]
fn lanes(terms: impl Iterator<Item = f32>) -> f32 {
    let mut sums = [0f32; 16];
    for (i, x) in terms.enumerate() {
        sums[i % 16] += x;
    }
    sums.iter().sum()
}
