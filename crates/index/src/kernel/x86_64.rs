//! The dot products of x86-64, chosen by the instructions that the processor has.

use std::arch::x86_64::*;
use std::sync::LazyLock;

use super::rows::{DotRows, for_rows};
use super::scalar;

pub fn select() -> DotRows {
    static BEST: LazyLock<DotRows> =
        LazyLock::new(|| available().pop().map_or(scalar::dot_rows, |best| best.1));
    *BEST
}

/// The kernels that this machine runs, the fastest last.
pub fn available() -> Vec<(&'static str, DotRows)> {
    let mut kernels: Vec<(&'static str, DotRows)> = Vec::new();
    if is_x86_feature_detected!("avx2") {
        kernels.push(("avx2", avx2));
    }
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni") {
        kernels.push(("avx512vnni", avx512vnni));
    }
    kernels
}

fn avx2(codes: &[u8], items: &[u16], query: &[i8], dots: &mut [i32]) {
    /// # Safety
    /// The machine has AVX2.
    #[target_feature(enable = "avx2")]
    unsafe fn rows(codes: &[u8], items: &[u16], query: &[i8], dots: &mut [i32]) {
        // SAFETY: the caller vouches for AVX2.
        for_rows(codes, items, query, dots, |row, query| unsafe {
            dot_avx2(row, query)
        });
    }
    // SAFETY: `available` offers this function only where AVX2 was detected.
    unsafe { rows(codes, items, query, dots) }
}

fn avx512vnni(codes: &[u8], items: &[u16], query: &[i8], dots: &mut [i32]) {
    /// # Safety
    /// The machine has AVX-512F and AVX-512 VNNI.
    #[target_feature(enable = "avx512f,avx512vnni")]
    unsafe fn rows(codes: &[u8], items: &[u16], query: &[i8], dots: &mut [i32]) {
        // SAFETY: the caller vouches for both.
        for_rows(codes, items, query, dots, |row, query| unsafe {
            dot_avx512vnni(row, query)
        });
    }
    // SAFETY: `available` offers this function only where both were detected.
    unsafe { rows(codes, items, query, dots) }
}

/// # Safety
/// The machine has AVX2.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn dot_avx2(codes: &[u8], query: &[i8]) -> i32 {
    let ones = _mm256_set1_epi16(1);
    let mut sum = _mm256_setzero_si256();
    for (codes, query) in codes
        .as_chunks::<32>()
        .0
        .iter()
        .zip(query.as_chunks::<32>().0)
    {
        // SAFETY: both loads read the 32 bytes of a chunk.
        let (codes, query) = unsafe {
            (
                _mm256_loadu_si256(codes.as_ptr().cast()),
                _mm256_loadu_si256(query.as_ptr().cast()),
            )
        };
        // Pairs of 7-bit × 8-bit products stay under 2^15: vpmaddubsw does not saturate.
        let pairs = _mm256_maddubs_epi16(codes, query);
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
    }
    let half = _mm_add_epi32(
        _mm256_castsi256_si128(sum),
        _mm256_extracti128_si256::<1>(sum),
    );
    let half = _mm_add_epi32(half, _mm_shuffle_epi32::<0b01_00_11_10>(half));
    let half = _mm_add_epi32(half, _mm_shuffle_epi32::<0b10_11_00_01>(half));
    _mm_cvtsi128_si32(half)
}

/// # Safety
/// The machine has AVX-512F and AVX-512 VNNI.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn dot_avx512vnni(codes: &[u8], query: &[i8]) -> i32 {
    let mut even = _mm512_setzero_si512();
    let mut odd = _mm512_setzero_si512();
    let codes = codes.as_chunks::<64>().0;
    let query = query.as_chunks::<64>().0;
    for (i, (codes, query)) in codes.iter().zip(query).enumerate() {
        // SAFETY: both loads read the 64 bytes of a chunk.
        let (codes, query) = unsafe {
            (
                _mm512_loadu_si512(codes.as_ptr().cast()),
                _mm512_loadu_si512(query.as_ptr().cast()),
            )
        };
        // Two sums, so that an addition does not wait for the one before it.
        if i % 2 == 0 {
            even = _mm512_dpbusd_epi32(even, codes, query);
        } else {
            odd = _mm512_dpbusd_epi32(odd, codes, query);
        }
    }
    _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd))
}
