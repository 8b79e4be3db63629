//! Dot products of codes. All of them are exact integer sums, so that every kernel gives the same
//! number; which one runs is decided once per process on x86-64, and at compile time elsewhere.

mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm32;
#[cfg(target_arch = "x86_64")]
mod x86_64;

/// The offset of coarse codes: a code of 64 is zero.
pub const BIAS: u8 = 64;

/// Σ codes · query over two slices of one length, a multiple of 64; codes in 0 … 127.
pub type DotCoarse = fn(codes: &[u8], query: &[i8]) -> i32;

/// The fastest kernel for this machine.
pub fn dot_coarse() -> DotCoarse {
    #[cfg(target_arch = "x86_64")]
    return x86_64::select();
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    return wasm32::dot_coarse;
    #[cfg(not(any(
        target_arch = "x86_64",
        all(target_arch = "wasm32", target_feature = "simd128")
    )))]
    return scalar::dot_coarse;
}

/// Every kernel that this machine can run, with its name: for tests and benchmarks.
pub fn available() -> Vec<(&'static str, DotCoarse)> {
    let mut kernels: Vec<(&'static str, DotCoarse)> = vec![("scalar", scalar::dot_coarse)];
    #[cfg(target_arch = "x86_64")]
    kernels.extend(x86_64::available());
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    kernels.push(("simd128", wasm32::dot_coarse));
    kernels
}

/// Σ (16 · (code − 64) + residual − 8) · query: the exact sum behind a final score.
pub fn dot_fine(codes: &[u8], residuals: &[u8], query: &[i16]) -> i64 {
    // A block of 16 products of at most 1032 · 32767 fits in 32 bits.
    codes
        .chunks_exact(16)
        .zip(residuals.chunks_exact(8))
        .zip(query.chunks_exact(16))
        .map(|((codes, residuals), query)| {
            let mut sum = 0i32;
            for i in 0..16 {
                let residual = residuals[i / 2] >> (i % 2 * 4) & 15;
                let fine = 16 * (i32::from(codes[i]) - i32::from(BIAS)) + i32::from(residual) - 8;
                sum = sum.wrapping_add(fine * i32::from(query[i]));
            }
            i64::from(sum)
        })
        .sum()
}

/// Asks for the cache lines of `bytes`, which are read soon.
#[inline(always)]
pub(crate) fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    for line in bytes.chunks(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: SSE is part of x86-64, and a prefetch reads nothing the program can see.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn kernels_equal_the_integer_reference(
            lines in 1usize..9,
            seed in prop::collection::vec((0u8..128, any::<i8>()), 512)
        ) {
            let (codes, query): (Vec<u8>, Vec<i8>) = seed[..lines * 64].iter().copied().unzip();
            let expected: i32 =
                codes.iter().zip(&query).map(|(&c, &q)| i32::from(c) * i32::from(q)).sum();
            for (name, kernel) in available() {
                prop_assert_eq!(kernel(&codes, &query), expected, "{}", name);
            }
        }
    }

    #[test]
    fn the_extremes_do_not_saturate() {
        for query in [-128i8, 127] {
            for (name, kernel) in available() {
                let expected = 127 * i32::from(query) * 1024;
                assert_eq!(kernel(&[127; 1024], &[query; 1024]), expected, "{name}");
            }
        }
    }
}
