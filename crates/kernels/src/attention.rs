//! softmax(Q · Kᵀ / √d) · V for one text and one head, a few queries at a time: their scores stay in
//! the first-level cache however long the text is.

use fearless_simd::{Simd, f32x16, prelude::*};

use crate::backend::{Backend, F32s};
use crate::exp2::exp2;
use crate::head::{Head, HeadScratch};
use crate::reduce::{LANES, tree_sum, vectors};
use crate::room::resize;

/// Writes the head's part of `context`, `[tokens][channels]`.
///
/// `ROWS` queries by `VECTORS` registers of keys are worked on at a time. Neither changes a bit of the
/// result, because each score and each sum is made in the order of channels and keys.
#[inline(always)]
pub(crate) fn attend<B: Backend, const ROWS: usize, const VECTORS: usize>(
    backend: B,
    head: &Head<'_>,
    scratch: &mut HeadScratch,
    context: &mut [f32],
) {
    let Head {
        qkv,
        channels,
        first,
        width,
        tokens,
    } = *head;
    let simd = backend.simd();
    let row = 3 * channels;
    const { assert!(VECTORS.is_power_of_two(), "padding is a multiple of both") };
    let lanes = F32s::<B>::LEN;
    let step = lanes * VECTORS;
    // Sums over scores are made in 16 lanes, whatever a register has.
    let padded = tokens.next_multiple_of(step.max(LANES));
    transpose_keys(head, padded, &mut scratch.keys);
    let keys = &scratch.keys[..width * padded];
    resize(&mut scratch.scores, ROWS * padded);
    let scores = &mut scratch.scores[..ROWS * padded];

    // The last queries are a whole group again; where it overlaps the one before, the same is
    // written twice.
    for start in (0..tokens).step_by(ROWS) {
        let start = start.min(tokens.saturating_sub(ROWS));
        let query = |r: usize| (start + r).min(tokens - 1);
        let queries: [&[f32]; ROWS] = std::array::from_fn(
            #[inline(always)]
            |r| {
                let at = query(r) * row + first;
                &qkv[at..at + width]
            },
        );

        score::<B, ROWS, VECTORS>(simd, &queries, keys, scores);
        let mut inverses = [0f32; ROWS];
        for (scores, inverse) in scores.chunks_exact_mut(padded).zip(&mut inverses) {
            *inverse = 1.0 / softmax(backend, scores, tokens);
        }

        // A head's width is a multiple of 16, not always of what registers hold.
        for d in (0..width).step_by(step.min(width)) {
            let channels_left = (width - d).min(step);
            let value = |j: usize| {
                let at = j * row + 2 * channels + first + d;
                &qkv[at..at + channels_left]
            };
            let place = |r: usize, v: usize| query(r) * channels + first + d + v * lanes;
            if channels_left == step {
                let sums = weigh::<B::Simd, ROWS, VECTORS>(simd, scores, padded, tokens, value);
                for r in 0..ROWS {
                    for v in 0..VECTORS {
                        mean(simd, sums[r][v], inverses[r], &mut context[place(r, v)..]);
                    }
                }
            } else {
                for v in 0..channels_left / lanes {
                    let value = |j: usize| &value(j)[v * lanes..(v + 1) * lanes];
                    let sums = weigh::<B::Simd, ROWS, 1>(simd, scores, padded, tokens, value);
                    for r in 0..ROWS {
                        mean(simd, sums[r][0], inverses[r], &mut context[place(r, v)..]);
                    }
                }
            }
        }
    }
}

/// The scores of a few queries, `[ROWS][padded]`: Σ over channels of query · key.
#[inline(always)]
fn score<B: Backend, const ROWS: usize, const VECTORS: usize>(
    simd: B::Simd,
    queries: &[&[f32]; ROWS],
    keys: &[f32],
    scores: &mut [f32],
) {
    let padded = scores.len() / ROWS;
    let lanes = F32s::<B>::LEN;
    let step = lanes * VECTORS;
    for j in (0..padded).step_by(step) {
        let mut sums = [[F32s::<B>::splat(simd, 0.0); VECTORS]; ROWS];
        for d in 0..queries[0].len() {
            let at = d * padded + j;
            let key: [F32s<B>; VECTORS] = load(simd, &keys[at..at + step]);
            for r in 0..ROWS {
                let q = F32s::<B>::splat(simd, queries[r][d]);
                for v in 0..VECTORS {
                    sums[r][v] += q * key[v];
                }
            }
        }
        for r in 0..ROWS {
            for v in 0..VECTORS {
                let at = r * padded + j + v * lanes;
                sums[r][v].store_slice(&mut scores[at..at + lanes]);
            }
        }
    }
}

/// Σ over keys of score · value.
#[inline(always)]
fn weigh<'a, S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    scores: &[f32],
    padded: usize,
    tokens: usize,
    value: impl Fn(usize) -> &'a [f32],
) -> [[S::f32s; VECTORS]; ROWS] {
    let mut sums = [[S::f32s::splat(simd, 0.0); VECTORS]; ROWS];
    let rows: [&[f32]; ROWS] = std::array::from_fn(
        #[inline(always)]
        |r| &scores[r * padded..r * padded + tokens],
    );
    for j in 0..tokens {
        let values: [S::f32s; VECTORS] = load(simd, value(j));
        for r in 0..ROWS {
            let weight = S::f32s::splat(simd, rows[r][j]);
            for v in 0..VECTORS {
                sums[r][v] += weight * values[v];
            }
        }
    }
    sums
}

#[inline(always)]
fn mean<S: Simd>(simd: S, sum: S::f32s, inverse: f32, out: &mut [f32]) {
    let mean = sum * S::f32s::splat(simd, inverse);
    mean.store_slice(&mut out[..S::f32s::LEN]);
}

/// 2^(score - max) in place of the scores; their sum. Padding has no part in it.
#[inline(always)]
fn softmax<B: Backend>(backend: B, scores: &mut [f32], tokens: usize) -> f32 {
    let simd = backend.simd();
    let lanes = F32s::<B>::LEN;
    scores[tokens..].fill(f32::MIN);
    let scores = &mut scores[..tokens.next_multiple_of(LANES)];
    let mut most = F32s::<B>::splat(simd, f32::MIN);
    for chunk in scores.chunks_exact(lanes) {
        most = backend.larger(most, F32s::<B>::from_slice(simd, chunk));
    }
    let most = F32s::<B>::splat(simd, most.reduce_max());
    for chunk in scores.chunks_exact_mut(lanes) {
        // For padding this is 2^-126, which no sum of at least 1 feels.
        exp2(backend, F32s::<B>::from_slice(simd, chunk) - most).store_slice(chunk);
    }
    let mut sum = f32x16::splat(simd, 0.0);
    for powers in vectors(simd, scores) {
        sum += powers;
    }
    tree_sum(sum)
}

#[inline(always)]
fn load<S: Simd, const VECTORS: usize>(simd: S, from: &[f32]) -> [S::f32s; VECTORS] {
    let lanes = S::f32s::LEN;
    std::array::from_fn(
        #[inline(always)]
        |v| S::f32s::from_slice(simd, &from[v * lanes..(v + 1) * lanes]),
    )
}

#[inline(always)]
fn transpose_keys(head: &Head<'_>, padded: usize, keys: &mut Vec<f32>) {
    let row = 3 * head.channels;
    resize(keys, head.width * padded);
    for j in 0..head.tokens {
        let at = j * row + head.channels + head.first;
        for (d, x) in head.qkv[at..at + head.width].iter().enumerate() {
            keys[d * padded + j] = *x;
        }
    }
    for keys in keys[..head.width * padded].chunks_exact_mut(padded) {
        keys[head.tokens..].fill(0.0);
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::LOG2_E;

    use super::*;
    use crate::isa::{Isa, Work};

    struct Attend<'a>(&'a Head<'a>);

    impl Work for Attend<'_> {
        type Output = Vec<f32>;

        fn run<B: Backend>(self, backend: B) -> Vec<f32> {
            let mut context = vec![f32::NAN; self.0.tokens * self.0.channels];
            backend.attend(self.0, &mut HeadScratch::default(), &mut context);
            context
        }
    }

    /// softmax(Q · Kᵀ) · V in f64; queries are scaled by log2(e) already.
    fn reference(head: &Head<'_>) -> Vec<f64> {
        let at = |token: usize, part: usize, d: usize| {
            f64::from(head.qkv[token * 3 * head.channels + part * head.channels + head.first + d])
        };
        let mut context = Vec::new();
        for i in 0..head.tokens {
            let score = |j| {
                (0..head.width)
                    .map(|d| at(i, 0, d) * at(j, 1, d))
                    .sum::<f64>()
                    .exp2()
            };
            let scores: Vec<f64> = (0..head.tokens).map(score).collect();
            let total: f64 = scores.iter().sum();
            for d in 0..head.width {
                let sum: f64 = (0..head.tokens).map(|j| scores[j] * at(j, 2, d)).sum();
                context.push(sum / total);
            }
        }
        context
    }

    #[test]
    fn every_shape_agrees_with_the_definition() {
        for width in [16, 32, 48, 64] {
            for tokens in [1, 2, 5, 6, 7, 16, 17, 33, 70] {
                let channels = 2 * width;
                let value = |i: usize| ((i * 7919 + 13) % 2001) as f32 / 1000.0 - 1.0;
                let qkv: Vec<f32> = (0..tokens * 3 * channels)
                    .map(|i| value(i) * LOG2_E)
                    .collect();
                for first in [0, width] {
                    let head = Head {
                        qkv: &qkv,
                        channels,
                        first,
                        width,
                        tokens,
                    };
                    let expected = reference(&head);
                    let mut bits = None;
                    for isa in Isa::available() {
                        let context = isa.run(Attend(&head));
                        let found: Vec<f32> = (0..tokens)
                            .flat_map(|t| &context[t * channels + first..][..width])
                            .copied()
                            .collect();
                        for (x, y) in found.iter().zip(&expected) {
                            assert!(
                                (f64::from(*x) - y).abs() < 1e-4,
                                "{isa:?} {tokens}: {x} {y}"
                            );
                        }
                        let found: Vec<u32> = found.iter().map(|x| x.to_bits()).collect();
                        assert_eq!(bits.get_or_insert(found.clone()), &found, "{isa:?}");
                        // Other heads are not touched.
                        let written = context.iter().filter(|x| !x.is_nan()).count();
                        assert_eq!(written, tokens * width);
                    }
                }
            }
        }
    }
}
