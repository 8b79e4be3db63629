//! The seam of instruction sets.

use fearless_simd::{Simd, prelude::*};

use crate::block::Block;
use crate::head::{Head, HeadScratch};
use crate::reduce::LANES;

/// Sums that a tile has at most: tokens times groups of 16 channels.
pub(crate) const TILE: usize = 24;

/// Integer sums, `[token][group][channel]`.
pub(crate) type Tile = [[i32; LANES]; TILE];

/// As many f32 as a register holds.
pub(crate) type F32s<B> = <<B as Backend>::Simd as Simd>::f32s;
/// As many i32 as a register holds.
pub(crate) type I32s<B> = <<B as Backend>::Simd as Simd>::i32s;

/// An instruction set: 16 lanes of f32, dot products of codes, and how much its registers hold.
pub(crate) trait Backend: Copy {
    type Simd: Simd;
    /// Tokens of a tile.
    const ROWS: usize;
    /// Groups of 16 output channels of a tile.
    const GROUPS: usize;

    fn simd(self) -> Self::Simd;

    /// The larger of two numbers in each lane; neither is NaN.
    #[inline(always)]
    fn larger(self, a: F32s<Self>, b: F32s<Self>) -> F32s<Self> {
        a.max(b)
    }

    /// The smaller of two numbers in each lane; neither is NaN.
    #[inline(always)]
    fn smaller(self, a: F32s<Self>, b: F32s<Self>) -> F32s<Self> {
        a.min(b)
    }

    /// Σ over inputs of activation code · (weight code + 64), exact, for a tile of tokens and channels.
    ///
    /// `rows` are the codes of at most [`Backend::ROWS`] tokens, `words` words each; `blocks` are the
    /// weights of at most [`Backend::GROUPS`] groups, `words` blocks each.
    fn dot_tile(self, rows: &[i32], words: usize, blocks: &[Block], tile: &mut Tile);

    /// [`crate::attention::attend`] with the shape that suits the registers.
    fn attend(self, head: &Head<'_>, scratch: &mut HeadScratch, context: &mut [f32]);
}
