//! The dot products of AArch64, by NEON, which every such processor has.

use std::arch::aarch64::*;

use super::rows::each_row;

pub fn dot_rows(rows: &[&[u8]], query: &[i8], dots: &mut [i32]) {
    each_row(rows, query, dots, dot);
}

/// Sixteen bytes at a time: their low halves, then their high ones.
#[inline]
fn dot(row: &[u8], query: &[i8]) -> i32 {
    let lines = row
        .as_chunks::<64>()
        .0
        .iter()
        .zip(query.as_chunks::<128>().0);
    // SAFETY: NEON is part of AArch64; each load reads 16 bytes inside its array.
    unsafe {
        let mut sum = vdupq_n_s32(0);
        for (line, query) in lines {
            // Eight products of at most 15 · 128 in a lane stay under 2^15.
            let mut front = vdupq_n_s16(0);
            let mut back = vdupq_n_s16(0);
            for i in 0..4 {
                let codes = vld1q_u8(line.as_ptr().add(16 * i));
                let low = vreinterpretq_s8_u8(vandq_u8(codes, vdupq_n_u8(15)));
                let high = vreinterpretq_s8_u8(vshrq_n_u8::<4>(codes));
                let with_low = vld1q_s8(query.as_ptr().add(16 * i));
                let with_high = vld1q_s8(query.as_ptr().add(64 + 16 * i));
                front = vmlal_s8(front, vget_low_s8(low), vget_low_s8(with_low));
                back = vmlal_high_s8(back, low, with_low);
                front = vmlal_s8(front, vget_low_s8(high), vget_low_s8(with_high));
                back = vmlal_high_s8(back, high, with_high);
            }
            sum = vpadalq_s16(vpadalq_s16(sum, front), back);
        }
        vaddvq_s32(sum)
    }
}
