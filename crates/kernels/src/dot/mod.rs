//! Dot products of 8-bit activations with offset 7-bit weights, one file for each architecture. All
//! are exact, so that they agree.

#[cfg(target_arch = "aarch64")]
mod aarch64;
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm32;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub(crate) use aarch64::NeonDot;
pub(crate) use scalar::Portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) use wasm32::Wasm;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::{Avx2Maddubs, Avx2Vnni, Avx512Vnni};

/// Calls `$tile::<M, G>` for the numbers of rows and groups at hand.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! tile_of {
    ($rows:expr, $groups:expr, [$($m:literal)*], $call:ident $args:tt) => {
        match ($rows, $groups) {
            $(($m, 1) => $call::<$m, 1> $args,)*
            $(($m, 2) => $call::<$m, 2> $args,)*
            (rows, groups) => unreachable!("a tile of {rows} rows and {groups} groups"),
        }
    };
}
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) use tile_of;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::scalar;
    use crate::backend::{Backend, TILE, Tile};
    use crate::block::Block;
    use crate::isa::{Isa, Work};

    /// Runs every size of tile that a backend has.
    struct Tiles<'a> {
        rows: &'a [i32],
        words: usize,
        blocks: &'a [Block],
    }

    impl Work for Tiles<'_> {
        type Output = Vec<(usize, usize, Tile)>;

        fn run<B: Backend>(self, backend: B) -> Self::Output {
            let mut tiles = Vec::new();
            for count in 1..=B::ROWS {
                for groups in 1..=B::GROUPS {
                    let rows = &self.rows[..count * self.words];
                    let blocks = &self.blocks[..groups * self.words];
                    let mut tile = [[i32::MIN; 16]; TILE];
                    backend.dot_tile(rows, self.words, blocks, &mut tile);
                    tiles.push((count, groups, tile));
                }
            }
            tiles
        }
    }

    fn compare(rows: &[i32], words: usize, blocks: &[Block]) {
        for isa in Isa::available() {
            let tiles = isa.run(Tiles {
                rows,
                words,
                blocks,
            });
            for (count, groups, tile) in tiles {
                let mut expected = [[i32::MIN; 16]; TILE];
                let (rows, blocks) = (&rows[..count * words], &blocks[..groups * words]);
                scalar::dot_tile(rows, words, blocks, &mut expected);
                assert_eq!(tile, expected, "{isa:?}, {count} rows, {groups} groups");
            }
        }
    }

    proptest! {
        #[test]
        fn kernels_equal_the_integer_reference(
            words in 1usize..40,
            rows in prop::collection::vec(any::<i32>(), 12 * 40),
            weights in prop::collection::vec(prop::array::uniform32(0u8..128), 2 * 2 * 40),
        ) {
            let blocks: Vec<Block> = weights
                .chunks_exact(2)
                .map(|halves| {
                    let mut block = Block([0; 64]);
                    block.0[..32].copy_from_slice(&halves[0]);
                    block.0[32..].copy_from_slice(&halves[1]);
                    block
                })
                .collect();
            compare(&rows, words, &blocks);
        }
    }

    #[test]
    fn extremes_neither_saturate_nor_overflow() {
        let words = 4096;
        for code in [-128i8, 127] {
            let word = i32::from_le_bytes([code.cast_unsigned(); 4]);
            compare(
                &vec![word; 12 * words],
                words,
                &vec![Block([127; 64]); 2 * words],
            );
        }
    }
}
