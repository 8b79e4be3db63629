//! Integer products in wasm, with simd128 and with relaxed-simd.

use std::arch::wasm32::*;

use fearless_simd::wasm32::WasmSimd128;
use fearless_simd::{f32x4, prelude::*};

use crate::attention::attend;
use crate::backend::{Backend, Tile};
use crate::block::Block;
use crate::head::{Head, HeadScratch};

/// simd128, with relaxed-simd where the module is compiled for it.
#[derive(Clone, Copy)]
pub(crate) struct Wasm(pub WasmSimd128);

impl Backend for Wasm {
    type Simd = WasmSimd128;
    const ROWS: usize = 4;
    const GROUPS: usize = 6;

    #[inline(always)]
    fn simd(self) -> WasmSimd128 {
        self.0
    }

    // The engine's own maximum has instructions for NaN; these are one each.
    #[inline(always)]
    fn larger(self, a: f32x4<WasmSimd128>, b: f32x4<WasmSimd128>) -> f32x4<WasmSimd128> {
        f32x4_pmax(b.into(), a.into()).simd_into(self.0)
    }

    #[inline(always)]
    fn smaller(self, a: f32x4<WasmSimd128>, b: f32x4<WasmSimd128>) -> f32x4<WasmSimd128> {
        f32x4_pmin(b.into(), a.into()).simd_into(self.0)
    }

    #[inline(always)]
    fn dot_tile(self, rows: &[i32], words: usize, blocks: &[Block], tile: &mut Tile) {
        match rows.len() / words {
            1 => rows_of::<1>(rows, words, blocks, tile),
            2 => rows_of::<2>(rows, words, blocks, tile),
            3 => rows_of::<3>(rows, words, blocks, tile),
            4 => rows_of::<4>(rows, words, blocks, tile),
            rows => unreachable!("a tile of {rows} rows"),
        }
    }

    #[inline(always)]
    fn attend(self, head: &Head<'_>, scratch: &mut HeadScratch, context: &mut [f32]) {
        attend::<Self, 2, 4>(self, head, scratch, context);
    }
}

/// The quarter `q` of a block: four channels.
#[inline(always)]
fn quarter(block: &Block, q: usize) -> *const v128 {
    (&raw const block.0[16 * q]).cast()
}

/// Writes or adds the sums of four channels.
#[inline(always)]
fn put(sum: v128, add: bool, q: usize, row: &mut [i32; 16]) {
    let at: *mut v128 = (&raw mut row[4 * q]).cast();
    // SAFETY: four of the row's 16 sums.
    unsafe {
        let before = if add { v128_load(at) } else { i32x4_splat(0) };
        v128_store(at, i32x4_add(before, sum));
    }
}

/// Weights are the operand of 7 bits, with which the relaxed instruction is exact on every host.
#[cfg(target_feature = "relaxed-simd")]
fn rows_of<const M: usize>(rows: &[i32], words: usize, blocks: &[Block], tile: &mut Tile) {
    // Engines have 16 registers on x86-64: two quarters of a block at a time.
    const QUARTERS: usize = 2;
    let groups = blocks.len() / words;
    let rows: [&[i32]; M] = std::array::from_fn(|m| &rows[m * words..(m + 1) * words]);
    // What the loop below relies on: chunks are `words` blocks long, and so are rows.
    for (g, blocks) in blocks.chunks_exact(words).enumerate() {
        for first in (0..4).step_by(QUARTERS) {
            let mut sums = [[i32x4_splat(0); QUARTERS]; M];
            for (k, block) in blocks.iter().enumerate() {
                // SAFETY: a quarter is 16 of the block's 64 bytes.
                let weights: [v128; QUARTERS] =
                    std::array::from_fn(|q| unsafe { v128_load(quarter(block, first + q)) });
                for m in 0..M {
                    // SAFETY: rows are as long as the group has blocks.
                    let codes = unsafe { v128_load32_splat(rows[m].as_ptr().add(k).cast()) };
                    for q in 0..QUARTERS {
                        sums[m][q] =
                            i32x4_relaxed_dot_i8x16_i7x16_add(codes, weights[q], sums[m][q]);
                    }
                }
            }
            for m in 0..M {
                for q in 0..QUARTERS {
                    put(sums[m][q], false, first + q, &mut tile[m * groups + g]);
                }
            }
        }
    }
}

/// Words that are widened at a time.
#[cfg(not(target_feature = "relaxed-simd"))]
const CHUNK: usize = 512;

/// Bytes are widened to 16 bits, of which pairs are multiplied and added. Activations are widened once
/// for all channels of the tile.
#[cfg(not(target_feature = "relaxed-simd"))]
fn rows_of<const M: usize>(rows: &[i32], words: usize, blocks: &[Block], tile: &mut Tile) {
    let groups = blocks.len() / words;
    let mut wide = [[0i64; CHUNK]; M];
    for start in (0..words).step_by(CHUNK) {
        let length = CHUNK.min(words - start);
        for m in 0..M {
            let row = &rows[m * words + start..][..length];
            for (wide, word) in wide[m].iter_mut().zip(row) {
                let codes = i16x8_extend_low_i8x16(i32x4_splat(*word));
                *wide = i64x2_extract_lane::<0>(codes);
            }
        }
        let wide: [&[i64]; M] = std::array::from_fn(|m| &wide[m][..length]);
        for (g, blocks) in blocks.chunks_exact(words).enumerate() {
            let blocks = &blocks[start..start + length];
            for q in 0..4 {
                let sums = four_channels::<M>(&wide, blocks, q);
                for m in 0..M {
                    put(sums[m], start > 0, q, &mut tile[m * groups + g]);
                }
            }
        }
    }
}

#[cfg(not(target_feature = "relaxed-simd"))]
#[inline(always)]
fn four_channels<const M: usize>(wide: &[&[i64]; M], blocks: &[Block], q: usize) -> [v128; M] {
    // Two channels a vector, each in two parts.
    let mut pairs = [[i32x4_splat(0); 2]; M];
    for (k, block) in blocks.iter().enumerate() {
        let at: *const u8 = quarter(block, q).cast();
        // SAFETY: a quarter is 16 of the block's 64 bytes.
        let weights = unsafe {
            [
                u16x8_load_extend_u8x8(at),
                u16x8_load_extend_u8x8(at.add(8)),
            ]
        };
        for m in 0..M {
            // SAFETY: rows are as long as there are blocks.
            let codes = unsafe { v128_load64_splat(wide[m].as_ptr().add(k).cast()) };
            for h in 0..2 {
                pairs[m][h] = i32x4_add(pairs[m][h], i32x4_dot_i16x8(weights[h], codes));
            }
        }
    }
    pairs.map(|[low, high]| {
        let even = i32x4_shuffle::<0, 2, 4, 6>(low, high);
        let odd = i32x4_shuffle::<1, 3, 5, 7>(low, high);
        i32x4_add(even, odd)
    })
}
