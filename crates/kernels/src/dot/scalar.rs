//! Integer products without instructions of their own: the reference.

use fearless_simd::Simd;

use crate::attention::attend;
use crate::backend::{Backend, Tile};
use crate::block::Block;
use crate::head::{Head, HeadScratch};

/// Any machine: f32 with what the target always has, integer sums in plain Rust.
#[derive(Clone, Copy)]
pub(crate) struct Portable<S>(pub S);

impl<S: Simd> Backend for Portable<S> {
    type Simd = S;
    const ROWS: usize = 4;
    const GROUPS: usize = 1;

    #[inline(always)]
    fn simd(self) -> S {
        self.0
    }

    #[inline(always)]
    fn dot_tile(self, rows: &[i32], words: usize, blocks: &[Block], tile: &mut Tile) {
        dot_tile(rows, words, blocks, tile);
    }

    #[inline(always)]
    fn attend(self, head: &Head<'_>, scratch: &mut HeadScratch, context: &mut [f32]) {
        attend::<Self, 4, 2>(self, head, scratch, context);
    }
}

/// The definition that all other kernels are tested against.
pub(crate) fn dot_tile(rows: &[i32], words: usize, blocks: &[Block], tile: &mut Tile) {
    let groups = blocks.len() / words;
    for (m, row) in rows.chunks_exact(words).enumerate() {
        for (g, blocks) in blocks.chunks_exact(words).enumerate() {
            let mut sums = [0i32; 16];
            for (word, block) in row.iter().zip(blocks) {
                let codes = word.to_le_bytes().map(|code| i32::from(code.cast_signed()));
                for (sum, weights) in sums.iter_mut().zip(block.0.as_chunks::<4>().0) {
                    for i in 0..4 {
                        *sum += codes[i] * i32::from(weights[i]);
                    }
                }
            }
            tile[m * groups + g] = sums;
        }
    }
}
