//! Integer products on x86-64: AVX-512 VNNI, AVX-VNNI, AVX2.

use std::arch::x86_64::*;

use fearless_simd::x86::{Avx2, Avx512};

use super::tile_of;
use crate::attention::attend;
use crate::backend::{Backend, Tile};
use crate::block::Block;
use crate::head::{Head, HeadScratch};

/// AVX-512 with VNNI. The token of f32's instructions stands for both.
#[derive(Clone, Copy)]
pub(crate) struct Avx512Vnni(pub Avx512);

/// AVX2 with AVX-VNNI.
#[derive(Clone, Copy)]
pub(crate) struct Avx2Vnni {
    simd: Avx2,
}

/// AVX2 alone.
#[derive(Clone, Copy)]
pub(crate) struct Avx2Maddubs(pub Avx2);

impl Avx2Vnni {
    /// Where the processor has it.
    pub fn new(simd: Avx2) -> Option<Self> {
        is_x86_feature_detected!("avxvnni").then_some(Avx2Vnni { simd })
    }
}

impl Backend for Avx512Vnni {
    type Simd = Avx512;
    const ROWS: usize = 12;
    const GROUPS: usize = 2;

    #[inline(always)]
    fn simd(self) -> Avx512 {
        self.0
    }

    #[inline(always)]
    fn dot_tile(self, rows: &[i32], words: usize, blocks: &[Block], tile: &mut Tile) {
        let (count, groups) = (rows.len() / words, blocks.len() / words);
        // SAFETY: a token of `Avx512` is only made where all of its features were detected; they
        // include those of the kernel.
        unsafe {
            tile_of!(count, groups, [1 2 3 4 5 6 7 8 9 10 11 12],
                avx512vnni(rows, words, blocks, tile));
        }
    }

    #[inline(always)]
    fn attend(self, head: &Head<'_>, scratch: &mut HeadScratch, context: &mut [f32]) {
        // In short texts counts what is computed to fill up registers.
        match head.tokens {
            ..=16 => attend::<Self, 8, 1>(self, head, scratch, context),
            _ => attend::<Self, 6, 2>(self, head, scratch, context),
        }
    }
}

impl Backend for Avx2Vnni {
    type Simd = Avx2;
    const ROWS: usize = 6;
    const GROUPS: usize = 1;

    #[inline(always)]
    fn simd(self) -> Avx2 {
        self.simd
    }

    #[inline(always)]
    fn dot_tile(self, rows: &[i32], words: usize, blocks: &[Block], tile: &mut Tile) {
        // SAFETY: `new` saw AVX-VNNI, and the token of `Avx2` stands for AVX2.
        unsafe {
            tile_of!(rows.len() / words, blocks.len() / words, [1 2 3 4 5 6],
                avxvnni(rows, words, blocks, tile));
        }
    }

    #[inline(always)]
    fn attend(self, head: &Head<'_>, scratch: &mut HeadScratch, context: &mut [f32]) {
        attend::<Self, 4, 2>(self, head, scratch, context);
    }
}

impl Backend for Avx2Maddubs {
    type Simd = Avx2;
    const ROWS: usize = 4;
    const GROUPS: usize = 1;

    #[inline(always)]
    fn simd(self) -> Avx2 {
        self.0
    }

    #[inline(always)]
    fn dot_tile(self, rows: &[i32], words: usize, blocks: &[Block], tile: &mut Tile) {
        // SAFETY: the token of `Avx2` stands for AVX2.
        unsafe {
            tile_of!(rows.len() / words, blocks.len() / words, [1 2 3 4],
                avx2(rows, words, blocks, tile));
        }
    }

    #[inline(always)]
    fn attend(self, head: &Head<'_>, scratch: &mut HeadScratch, context: &mut [f32]) {
        attend::<Self, 4, 2>(self, head, scratch, context);
    }
}

/// The rows and groups of a tile, cut to the same length, so that indexing needs no check.
#[inline(always)]
fn parts<'a, const M: usize, const G: usize>(
    rows: &'a [i32],
    words: usize,
    blocks: &'a [Block],
) -> ([&'a [i32]; M], [&'a [Block]; G]) {
    (
        std::array::from_fn(|m| &rows[m * words..(m + 1) * words]),
        std::array::from_fn(|g| &blocks[g * words..(g + 1) * words]),
    )
}

#[target_feature(enable = "avx512f,avx512vnni")]
fn avx512vnni<const M: usize, const G: usize>(
    rows: &[i32],
    words: usize,
    blocks: &[Block],
    tile: &mut Tile,
) {
    let (rows, groups) = parts::<M, G>(rows, words, blocks);
    let mut sums = [[_mm512_setzero_si512(); G]; M];
    for k in 0..words {
        let mut weights = [_mm512_setzero_si512(); G];
        for g in 0..G {
            // SAFETY: a block is 64 bytes, aligned to 64.
            weights[g] = unsafe { _mm512_load_si512((&raw const groups[g][k]).cast()) };
            let ahead = (&raw const groups[g][k]).wrapping_add(G * words);
            _mm_prefetch::<_MM_HINT_T1>(ahead.cast());
        }
        for m in 0..M {
            let codes = _mm512_set1_epi32(rows[m][k]);
            for g in 0..G {
                sums[m][g] = _mm512_dpbusd_epi32(sums[m][g], weights[g], codes);
            }
        }
    }
    for m in 0..M {
        for g in 0..G {
            // SAFETY: a row of the tile is 16 times 4 bytes.
            unsafe { _mm512_storeu_si512((&raw mut tile[m * G + g]).cast(), sums[m][g]) };
        }
    }
}

/// The two halves of a block, eight channels each.
#[target_feature(enable = "avx2")]
fn halves(block: &Block) -> [__m256i; 2] {
    let at: *const __m256i = (&raw const *block).cast();
    // SAFETY: a block is 64 bytes, aligned to 64.
    unsafe { [_mm256_load_si256(at), _mm256_load_si256(at.add(1))] }
}

#[target_feature(enable = "avx2")]
fn store<const M: usize, const G: usize>(sums: &[[[__m256i; 2]; G]; M], tile: &mut Tile) {
    for m in 0..M {
        for g in 0..G {
            let at: *mut __m256i = (&raw mut tile[m * G + g]).cast();
            // SAFETY: a row of the tile is two vectors of 32 bytes.
            unsafe {
                _mm256_storeu_si256(at, sums[m][g][0]);
                _mm256_storeu_si256(at.add(1), sums[m][g][1]);
            }
        }
    }
}

#[target_feature(enable = "avx2,avxvnni")]
fn avxvnni<const M: usize, const G: usize>(
    rows: &[i32],
    words: usize,
    blocks: &[Block],
    tile: &mut Tile,
) {
    let (rows, groups) = parts::<M, G>(rows, words, blocks);
    let mut sums = [[[_mm256_setzero_si256(); 2]; G]; M];
    for k in 0..words {
        for g in 0..G {
            let weights = halves(&groups[g][k]);
            for m in 0..M {
                let codes = _mm256_set1_epi32(rows[m][k]);
                for h in 0..2 {
                    sums[m][g][h] = _mm256_dpbusd_avx_epi32(sums[m][g][h], weights[h], codes);
                }
            }
        }
    }
    store(&sums, tile);
}

#[target_feature(enable = "avx2")]
fn avx2<const M: usize, const G: usize>(
    rows: &[i32],
    words: usize,
    blocks: &[Block],
    tile: &mut Tile,
) {
    let (rows, groups) = parts::<M, G>(rows, words, blocks);
    let ones = _mm256_set1_epi16(1);
    let mut sums = [[[_mm256_setzero_si256(); 2]; G]; M];
    for k in 0..words {
        for g in 0..G {
            let weights = halves(&groups[g][k]);
            for m in 0..M {
                let codes = _mm256_set1_epi32(rows[m][k]);
                for h in 0..2 {
                    // 127 · 127 · 2 fits in 16 bits: the pairs' sums do not saturate.
                    let pairs = _mm256_maddubs_epi16(weights[h], codes);
                    let fours = _mm256_madd_epi16(pairs, ones);
                    sums[m][g][h] = _mm256_add_epi32(sums[m][g][h], fours);
                }
            }
        }
    }
    store(&sums, tile);
}
