//! Integer products on AArch64: NEON with dot products.

use std::arch::aarch64::*;
use std::arch::asm;
use std::arch::is_aarch64_feature_detected;

use fearless_simd::aarch64::Neon;

use super::tile_of;
use crate::attention::attend;
use crate::backend::{Backend, Tile};
use crate::block::Block;
use crate::head::{Head, HeadScratch};

/// NEON with the dot product instructions of Armv8.2.
#[derive(Clone, Copy)]
pub(crate) struct NeonDot {
    simd: Neon,
}

impl NeonDot {
    /// Where the processor has it.
    pub fn new(simd: Neon) -> Option<Self> {
        is_aarch64_feature_detected!("dotprod").then_some(NeonDot { simd })
    }
}

impl Backend for NeonDot {
    type Simd = Neon;
    const ROWS: usize = 6;
    const GROUPS: usize = 1;

    #[inline(always)]
    fn simd(self) -> Neon {
        self.simd
    }

    #[inline(always)]
    fn dot_tile(self, rows: &[i32], words: usize, blocks: &[Block], tile: &mut Tile) {
        // SAFETY: `new` saw the dot product instructions.
        unsafe {
            tile_of!(rows.len() / words, blocks.len() / words, [1 2 3 4 5 6],
                sdot(rows, words, blocks, tile));
        }
    }

    #[inline(always)]
    fn attend(self, head: &Head<'_>, scratch: &mut HeadScratch, context: &mut [f32]) {
        attend::<Self, 4, 4>(self, head, scratch, context);
    }
}

/// sum + Σ of four products, in each lane. The intrinsic is not stable yet.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn dot(mut sum: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    // SAFETY: the instruction is one of the features above and touches nothing but its operands.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {a:v}.16b, {b:v}.16b",
            sum = inout(vreg) sum,
            a = in(vreg) a,
            b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}

/// Offset weights are at most 127: signed bytes hold them, too.
#[target_feature(enable = "neon,dotprod")]
fn sdot<const M: usize, const G: usize>(
    rows: &[i32],
    words: usize,
    blocks: &[Block],
    tile: &mut Tile,
) {
    let rows: [&[i32]; M] = std::array::from_fn(|m| &rows[m * words..(m + 1) * words]);
    let groups: [&[Block]; G] = std::array::from_fn(|g| &blocks[g * words..(g + 1) * words]);
    let mut sums = [[[vdupq_n_s32(0); 4]; G]; M];
    for k in 0..words {
        for g in 0..G {
            let at: *const i8 = (&raw const groups[g][k]).cast();
            let mut weights = [vdupq_n_s8(0); 4];
            for (q, weights) in weights.iter_mut().enumerate() {
                // SAFETY: a block is four vectors of 16 bytes.
                *weights = unsafe { vld1q_s8(at.add(16 * q)) };
            }
            for m in 0..M {
                let codes = vreinterpretq_s8_s32(vdupq_n_s32(rows[m][k]));
                for q in 0..4 {
                    sums[m][g][q] = dot(sums[m][g][q], weights[q], codes);
                }
            }
        }
    }
    for m in 0..M {
        for g in 0..G {
            let at: *mut i32 = (&raw mut tile[m * G + g]).cast();
            for q in 0..4 {
                // SAFETY: a row of the tile is four vectors of 16 bytes.
                unsafe { vst1q_s32(at.add(4 * q), sums[m][g][q]) };
            }
        }
    }
}
