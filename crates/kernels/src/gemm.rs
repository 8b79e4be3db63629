//! Quantized matrix products: 16 output channels of a token at a time, exact until they are scaled.

use fearless_simd::prelude::*;

use crate::backend::{Backend, F32s, I32s, TILE, Tile};
use crate::block::Block;
use crate::gelu::gelu;
use crate::linear::{Activation, Linear, WEIGHT_OFFSET};
use crate::quantize::{Quantized, Shaping, quantize};
use crate::reduce::LANES;

/// Quantizes the tokens of `x`, `[tokens][inputs]`, as `linear` wants them.
#[inline(always)]
pub(crate) fn quantize_rows<B: Backend>(
    backend: B,
    linear: &Linear,
    x: &[f32],
    out: &mut Quantized,
) {
    out.resize(x.len() / linear.inputs, linear.inputs);
    let shaping = linear.shaping.as_ref().map(Shaping::view);
    let words = out.words.chunks_exact_mut(linear.inputs / 4);
    for ((row, words), token) in x
        .chunks_exact(linear.inputs)
        .zip(words)
        .zip(&mut out.tokens)
    {
        *token = quantize(backend, row, shaping, words);
    }
}

/// y = scale · w_scale · Σ codes · w_codes + middle · w_scale · Σ w_codes + bias, activated, into
/// `y`: `[tokens][outputs]`.
///
/// Channels are the outer loop: their weights are read from memory once, and lie in the first-level
/// cache while all tokens pass.
#[inline(always)]
pub(crate) fn multiply<B: Backend>(backend: B, linear: &Linear, x: &Quantized, y: &mut [f32]) {
    match linear.activation {
        Activation::None => multiply_then(
            backend,
            linear,
            x,
            y,
            #[inline(always)]
            |y| y,
        ),
        Activation::Gelu => multiply_then(
            backend,
            linear,
            x,
            y,
            #[inline(always)]
            |y| gelu(backend, y),
        ),
        Activation::Relu => multiply_then(
            backend,
            linear,
            x,
            y,
            #[inline(always)]
            |y| backend.larger(y, F32s::<B>::splat(backend.simd(), 0.0)),
        ),
    }
}

#[inline(always)]
fn multiply_then<B: Backend>(
    backend: B,
    linear: &Linear,
    x: &Quantized,
    y: &mut [f32],
    activate: impl Fn(F32s<B>) -> F32s<B>,
) {
    let simd = backend.simd();
    // Looked up once: where they lie in a file, each look is a check.
    let (blocks, scales): (&[Block], &[f32]) = (&linear.blocks, &linear.scales);
    let (middles, biases): (&[f32], &[f32]) = (&linear.middles, &linear.bias);
    let words = linear.inputs / 4;
    let tokens = x.tokens.len();
    // Tiles of like height: 13 tokens as 7 and 6 rather than 12 and 1.
    let height = tokens.div_ceil(tokens.div_ceil(B::ROWS).max(1));
    let mut tile: Tile = [[0; LANES]; TILE];
    for (step, blocks) in blocks.chunks(words * B::GROUPS).enumerate() {
        let groups = blocks.len() / words;
        let first = step * B::GROUPS;
        for start in (0..tokens).step_by(height.max(1)) {
            let end = tokens.min(start + height);
            backend.dot_tile(
                &x.words[start * words..end * words],
                words,
                blocks,
                &mut tile,
            );
            // Lanes do not touch each other: as many at a time as a register has.
            for part in (0..LANES).step_by(F32s::<B>::LEN) {
                for group in 0..groups {
                    let channel = (first + group) * LANES + part;
                    let channels = channel..channel + F32s::<B>::LEN;
                    let scale = F32s::<B>::from_slice(simd, &scales[channels.clone()]);
                    let middle = F32s::<B>::from_slice(simd, &middles[channels.clone()]);
                    let bias = F32s::<B>::from_slice(simd, &biases[channels]);
                    for (m, token) in x.tokens[start..end].iter().enumerate() {
                        let sums = &tile[m * groups + group][part..part + F32s::<B>::LEN];
                        let sum = I32s::<B>::from_slice(simd, sums)
                            - I32s::<B>::splat(simd, token.sum * WEIGHT_OFFSET);
                        let sum: F32s<B> = sum.to_float();
                        let product = sum * scale * F32s::<B>::splat(simd, token.scale)
                            + middle * F32s::<B>::splat(simd, token.middle);
                        let at = (start + m) * linear.outputs + channel;
                        activate(product + bias).store_slice(&mut y[at..at + F32s::<B>::LEN]);
                    }
                }
            }
        }
    }
}
