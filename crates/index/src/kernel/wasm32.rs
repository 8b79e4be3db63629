//! The dot products of WebAssembly with SIMD128.

use std::arch::wasm32::*;

use super::rows::for_rows;

pub fn dot_rows(codes: &[u8], items: &[u16], query: &[i8], dots: &mut [i32]) {
    for_rows(codes, items, query, dots, dot);
}

/// Sixteen codes at a time, widened to 16 bits.
#[inline]
fn dot(codes: &[u8], query: &[i8]) -> i32 {
    let mut sum = i32x4_splat(0);
    for (codes, query) in codes
        .as_chunks::<16>()
        .0
        .iter()
        .zip(query.as_chunks::<16>().0)
    {
        // SAFETY: both loads read the 16 bytes of a chunk.
        let (codes, query) = unsafe {
            (
                v128_load(codes.as_ptr().cast()),
                v128_load(query.as_ptr().cast()),
            )
        };
        let low = i32x4_dot_i16x8(u16x8_extend_low_u8x16(codes), i16x8_extend_low_i8x16(query));
        let high = i32x4_dot_i16x8(
            u16x8_extend_high_u8x16(codes),
            i16x8_extend_high_i8x16(query),
        );
        sum = i32x4_add(sum, i32x4_add(low, high));
    }
    let sum = i32x4_add(sum, i32x4_shuffle::<2, 3, 0, 1>(sum, sum));
    i32x4_extract_lane::<0>(sum) + i32x4_extract_lane::<1>(sum)
}
