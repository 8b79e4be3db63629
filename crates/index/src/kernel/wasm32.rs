//! The dot products of WebAssembly with SIMD128, and with relaxed SIMD where the module has it.

use std::arch::wasm32::*;

use super::rows::each_row;

pub fn dot_rows(rows: &[&[u8]], query: &[i8], dots: &mut [i32]) {
    each_row(rows, query, dots, dot);
}

#[inline]
fn dot(row: &[u8], query: &[i8]) -> i32 {
    let mut sum = i32x4_splat(0);
    for (line, query) in row
        .as_chunks::<64>()
        .0
        .iter()
        .zip(query.as_chunks::<128>().0)
    {
        sum = add_line(sum, line, query);
    }
    let sum = i32x4_add(sum, i32x4_shuffle::<2, 3, 0, 1>(sum, sum));
    i32x4_extract_lane::<0>(sum) + i32x4_extract_lane::<1>(sum)
}

/// Sixteen bytes at a time: their low halves, then their high ones.
#[cfg(not(target_feature = "relaxed-simd"))]
#[inline(always)]
fn add_line(sum: v128, line: &[u8; 64], query: &[i8; 128]) -> v128 {
    let half = u8x16_splat(15);
    // Eight products of at most 15 · 128 in a lane stay under 2^15.
    let mut pairs = i16x8_splat(0);
    let mut others = i16x8_splat(0);
    for i in 0..4 {
        // SAFETY: each load reads 16 bytes inside its array.
        let (codes, low, high) = unsafe {
            (
                v128_load(line.as_ptr().add(16 * i).cast()),
                v128_load(query.as_ptr().add(16 * i).cast()),
                v128_load(query.as_ptr().add(64 + 16 * i).cast()),
            )
        };
        for (codes, query) in [(v128_and(codes, half), low), (u8x16_shr(codes, 4), high)] {
            pairs = i16x8_add(pairs, i16x8_extmul_low_i8x16(codes, query));
            others = i16x8_add(others, i16x8_extmul_high_i8x16(codes, query));
        }
    }
    let sum = i32x4_add(sum, i32x4_extadd_pairwise_i16x8(pairs));
    i32x4_add(sum, i32x4_extadd_pairwise_i16x8(others))
}

/// The same by the relaxed dot product, which is exact for a second factor of 7 bits.
#[cfg(target_feature = "relaxed-simd")]
#[inline(always)]
fn add_line(mut sum: v128, line: &[u8; 64], query: &[i8; 128]) -> v128 {
    let half = u8x16_splat(15);
    for i in 0..4 {
        // SAFETY: each load reads 16 bytes inside its array.
        let (codes, low, high) = unsafe {
            (
                v128_load(line.as_ptr().add(16 * i).cast()),
                v128_load(query.as_ptr().add(16 * i).cast()),
                v128_load(query.as_ptr().add(64 + 16 * i).cast()),
            )
        };
        sum = i32x4_relaxed_dot_i8x16_i7x16_add(low, v128_and(codes, half), sum);
        sum = i32x4_relaxed_dot_i8x16_i7x16_add(high, u8x16_shr(codes, 4), sum);
    }
    sum
}
