//! Sums over lanes, in one order for every instruction set.

use fearless_simd::{Simd, f32x16, prelude::*};

/// Lanes that f32 sums are made in.
pub(crate) const LANES: usize = 16;

/// The sum of 16 lanes: halves are added until one is left.
#[inline(always)]
pub(crate) fn tree_sum<S: Simd>(lanes: f32x16<S>) -> f32 {
    let mut lanes: [f32; LANES] = lanes.into();
    for width in [8, 4, 2, 1] {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
    }
    lanes[0]
}

/// The vectors of a row whose length is a multiple of 16.
#[inline(always)]
pub(crate) fn vectors<S: Simd>(simd: S, row: &[f32]) -> impl Iterator<Item = f32x16<S>> {
    row.as_chunks::<LANES>().0.iter().map(
        #[inline(always)]
        move |chunk| f32x16::simd_from(simd, *chunk),
    )
}
