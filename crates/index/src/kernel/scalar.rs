//! The dot products in plain Rust: the reference of the others.

use super::rows::for_rows;

/// The reference, and the kernel of targets without one of their own.
pub fn dot_rows(codes: &[u8], items: &[u16], query: &[i8], dots: &mut [i32]) {
    for_rows(codes, items, query, dots, |row, query| {
        row.iter()
            .zip(query)
            .map(|(&c, &q)| i32::from(c) * i32::from(q))
            .sum()
    });
}
