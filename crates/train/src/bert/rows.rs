//! Work on the rows of row-major matrices, shared among threads in blocks of a fixed size, so that sums
//! over rows do not depend on how many threads there are.

use rayon::prelude::*;

/// Rows that are worked on at a time.
pub(crate) const BLOCK: usize = 32;

/// Adds `bias` to every row.
pub(crate) fn add_bias(rows: &mut [f32], bias: &[f32]) {
    let width = bias.len();
    rows.par_chunks_mut(BLOCK * width).for_each(|block| {
        for row in block.chunks_exact_mut(width) {
            for (x, b) in row.iter_mut().zip(bias) {
                *x += b;
            }
        }
    });
}

/// The sum of all rows of `[n][width]`.
pub(crate) fn sum(rows: &[f32], width: usize) -> Vec<f32> {
    let blocks: Vec<Vec<f32>> = rows
        .par_chunks(BLOCK * width)
        .map(|block| {
            let mut sum = vec![0f32; width];
            for row in block.chunks_exact(width) {
                add(&mut sum, row);
            }
            sum
        })
        .collect();
    total(blocks, width)
}

/// The sum of the blocks' sums, in their order.
pub(crate) fn total(blocks: Vec<Vec<f32>>, width: usize) -> Vec<f32> {
    let mut all = vec![0f32; width];
    for block in blocks {
        add(&mut all, &block);
    }
    all
}

/// to += x
pub(crate) fn add(to: &mut [f32], x: &[f32]) {
    for (to, x) in to.iter_mut().zip(x) {
        *to += x;
    }
}

/// Cuts `[n][width]` into the rows of each text.
pub(crate) fn by_text<'a>(
    mut rows: &'a mut [f32],
    width: usize,
    lengths: &[usize],
) -> Vec<&'a mut [f32]> {
    lengths
        .iter()
        .map(|length| {
            let (text, rest) = std::mem::take(&mut rows).split_at_mut(length * width);
            rows = rest;
            text
        })
        .collect()
}
