//! Codes of 4 bits, for encoders that are downloaded: half of the bytes of a network file.
//!
//! A code of 7 or 8 bits becomes m · c: c has 4 bits, m is that of its group of 32. So the codes that kernels run come out
//! of them exactly, whatever reads the file; what is lost was lost when it was written.

use nearshelf_container::{Error as ContainerError, Result as ContainerResult};
use nearshelf_kernels::{Block, WEIGHT_MAX};

/// Codes that share a factor.
pub(crate) const GROUP: usize = 32;
/// The largest code of 4 bits: they are symmetric, so that no sum is moved.
const MOST: i8 = 7;
/// Offset that makes codes of 4 bits unsigned.
const OFFSET: i8 = 8;
/// Blocks that hold 32 inputs of 16 outputs.
const BLOCKS: usize = GROUP / 4;
/// Outputs of a block.
const LANES: usize = 16;
/// Offset of the codes in a block.
const BLOCK_OFFSET: i16 = 64;

/// The largest code of a word embedding.
const WORD_MAX: i8 = i8::MAX;

/// Codes of 4 bits, two a byte, the first in the lower half; and the factor of each group.
#[derive(Debug, Default)]
pub(crate) struct Coarse {
    pub codes: Vec<u8>,
    pub factors: Vec<u8>,
}

/// The factor of a group by which its codes are nearest to what they were, by squared error, and the codes of 4 bits.
fn fit(group: &[i8; GROUP], largest: i8) -> (u8, [i8; GROUP]) {
    let mut best = (i64::MAX, 1, [0; GROUP]);
    for factor in 1..=largest / MOST {
        let near = |code: i8| {
            let rounded = (f32::from(code) / f32::from(factor)).round_ties_even() as i8;
            rounded.clamp(-MOST, MOST)
        };
        let codes = group.map(near);
        let pairs = codes.iter().zip(group);
        let error = |(&c, &code): (&i8, &i8)| {
            let error = i64::from(c) * i64::from(factor) - i64::from(code);
            error * error
        };
        let error: i64 = pairs.map(error).sum();
        if error < best.0 {
            best = (error, factor, codes);
        }
    }
    (best.1.cast_unsigned(), best.2)
}

fn packed(codes: &[i8]) -> impl Iterator<Item = u8> {
    let half = |code: i8| (code + OFFSET).cast_unsigned();
    let pairs = codes.as_chunks::<2>().0.iter();
    pairs.map(move |&[low, high]| half(low) | half(high) << 4)
}

fn halves(byte: u8) -> [i16; 2] {
    let code = |half: u8| i16::from(half) - i16::from(OFFSET);
    [code(byte & 15), code(byte >> 4)]
}

/// The error of codes that are none.
fn wrong(place: &str, expected: &str, found: impl ToString) -> ContainerError {
    ContainerError::value(place, expected, found.to_string())
}

/// Makes codes of word embeddings, in rows of a multiple of 32, coarse.
pub(crate) fn of_words(codes: &[i8]) -> Coarse {
    let mut coarse = Coarse::default();
    for group in codes.as_chunks::<GROUP>().0 {
        let (factor, codes) = fit(group, WORD_MAX);
        coarse.factors.push(factor);
        coarse.codes.extend(packed(&codes));
    }
    coarse
}

/// The codes of word embeddings.
///
/// # Errors
/// Another number of codes than the factors are for, products of more than 8 bits.
pub(crate) fn words(coarse: &[u8], factors: &[u8], place: &str) -> ContainerResult<Vec<i8>> {
    let groups = coarse.as_chunks::<{ GROUP / 2 }>();
    if !groups.1.is_empty() || groups.0.len() != factors.len() {
        let expected = format!("{} bytes", factors.len() * GROUP / 2);
        return Err(wrong(place, &expected, coarse.len()));
    }
    let mut codes = Vec::with_capacity(2 * coarse.len());
    for (group, &factor) in groups.0.iter().zip(factors) {
        for code in group.iter().flat_map(|&byte| halves(byte)) {
            let product = code * i16::from(factor);
            let code = i8::try_from(product);
            codes.push(code.map_err(|_| wrong(place, "products of 8 bits", product))?);
        }
    }
    Ok(codes)
}

/// The code of an output's input in the eight blocks that hold it, by the input's place among their 32.
fn at(lane: usize, input: usize) -> (usize, usize) {
    (input / 4, 4 * lane + input % 4)
}

/// Makes the codes of a linear layer's blocks coarse; `seen` is told of each output and input, its code before and now.
///
/// Codes stand by 32 inputs and output, `[outputs / 16][inputs / 32][16][32]`.
pub(crate) fn of_blocks(
    blocks: &[Block],
    inputs: usize,
    mut seen: impl FnMut(usize, usize, i8, i8),
) -> Coarse {
    let mut coarse = Coarse::default();
    let across = inputs / GROUP;
    for (number, group) in blocks.as_chunks::<BLOCKS>().0.iter().enumerate() {
        let (tile, first) = (number / across, number % across * GROUP);
        for lane in 0..LANES {
            let before: [i8; GROUP] = std::array::from_fn(|input| {
                let (block, byte) = at(lane, input);
                (i16::from(group[block].0[byte]) - BLOCK_OFFSET) as i8
            });
            let (factor, codes) = fit(&before, WEIGHT_MAX);
            for (input, (&before, code)) in before.iter().zip(codes).enumerate() {
                seen(
                    tile * LANES + lane,
                    first + input,
                    before,
                    code * factor.cast_signed(),
                );
            }
            coarse.factors.push(factor);
            coarse.codes.extend(packed(&codes));
        }
    }
    coarse
}

/// The blocks of a linear layer.
///
/// # Errors
/// Another number of codes than the factors are for, products of more than 7 bits.
pub(crate) fn blocks(coarse: &[u8], factors: &[u8], place: &str) -> ContainerResult<Vec<Block>> {
    let tiles = coarse.as_chunks::<{ LANES * GROUP / 2 }>();
    let lanes = factors.as_chunks::<LANES>();
    if !tiles.1.is_empty() || !lanes.1.is_empty() || tiles.0.len() != lanes.0.len() {
        let expected = format!("{} bytes, of whole blocks", factors.len() * GROUP / 2);
        return Err(wrong(place, &expected, coarse.len()));
    }
    let mut blocks = vec![Block([0; 64]); tiles.0.len() * BLOCKS];
    let groups = blocks.as_chunks_mut::<BLOCKS>().0.iter_mut();
    for (group, (codes, factors)) in groups.zip(tiles.0.iter().zip(lanes.0)) {
        let rows = codes.as_chunks::<{ GROUP / 2 }>().0;
        for (lane, (row, &factor)) in rows.iter().zip(factors).enumerate() {
            for (input, code) in row.iter().flat_map(|&byte| halves(byte)).enumerate() {
                let product = code * i16::from(factor) + BLOCK_OFFSET;
                let stored = u8::try_from(product).ok().filter(|&stored| stored < 128);
                let (block, byte) = at(lane, input);
                group[block].0[byte] = stored
                    .ok_or_else(|| wrong(place, "products of 7 bits", product - BLOCK_OFFSET))?;
            }
        }
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_come_out_as_near_as_their_group_allows(codes in prop::collection::vec(-127i8..=127, 4 * GROUP)) {
            let coarse = of_words(&codes);
            prop_assert_eq!(coarse.codes.len() * 2, codes.len());
            let back = words(&coarse.codes, &coarse.factors, "test").unwrap();
            for (group, (back, &factor)) in codes.chunks(GROUP).zip(back.chunks(GROUP).zip(&coarse.factors)) {
                for (&code, &back) in group.iter().zip(back) {
                    prop_assert_eq!(i16::from(back) % i16::from(factor), 0);
                    // What a code beyond the largest product is off by, or half of a step.
                    let beyond = i16::from(code).abs() - i16::from(factor) * i16::from(MOST);
                    let bound = beyond.max(i16::from(factor) / 2 + 1);
                    prop_assert!((i16::from(code) - i16::from(back)).abs() <= bound);
                }
            }
            // What lies on the grid already stays.
            let again = of_words(&back_of(&coarse));
            prop_assert_eq!(back_of(&again), back_of(&coarse));
        }

        #[test]
        fn blocks_come_out_where_they_were(bytes in prop::collection::vec(1u8..=127, 2 * BLOCKS * 64)) {
            let before: Vec<Block> = bytes.chunks(64).map(|block| Block(block.try_into().unwrap())).collect();
            let mut told = vec![vec![0i8; 2 * GROUP]; LANES];
            let coarse = of_blocks(&before, 2 * GROUP, |output, input, _, code| told[output][input] = code);
            let after = blocks(&coarse.codes, &coarse.factors, "test").unwrap();
            for (number, block) in after.iter().enumerate() {
                for (lane, of_output) in block.0.chunks(4).enumerate() {
                    for (j, &stored) in of_output.iter().enumerate() {
                        prop_assert_eq!(i16::from(stored) - BLOCK_OFFSET, i16::from(told[lane][4 * number + j]));
                    }
                }
            }
        }

        #[test]
        fn any_bytes_are_codes_or_an_error(coarse in prop::collection::vec(any::<u8>(), 0..600), factors in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = words(&coarse, &factors, "test");
            let _ = blocks(&coarse, &factors, "test");
        }
    }

    fn back_of(coarse: &Coarse) -> Vec<i8> {
        words(&coarse.codes, &coarse.factors, "test").unwrap()
    }
}
