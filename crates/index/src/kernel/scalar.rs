//! The dot products in plain Rust: the reference of the others.

use super::rows::each_row;

/// The reference, and the kernel of targets without one of their own.
pub fn dot_rows(rows: &[&[u8]], query: &[i8], dots: &mut [i32]) {
    each_row(rows, query, dots, dot);
}

fn dot(row: &[u8], query: &[i8]) -> i32 {
    let lines = row.chunks_exact(64).zip(query.chunks_exact(128));
    lines
        .map(|(line, query)| {
            let (low, high) = query.split_at(64);
            let products = line
                .iter()
                .zip(low)
                .zip(high)
                .map(|((&byte, &low), &high)| {
                    i32::from(byte & 15) * i32::from(low) + i32::from(byte >> 4) * i32::from(high)
                });
            products.sum::<i32>()
        })
        .sum()
}
