//! Dot products of codes. All of them are exact integer sums, so that every kernel gives the same
//! number; which one runs is decided once per process on x86-64, and at compile time elsewhere.

mod rows;
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm32;
#[cfg(target_arch = "x86_64")]
mod x86_64;

pub(crate) use rows::prefetch;
pub use rows::{BIAS, DotRows};

/// The fastest kernel for this machine.
pub fn dot_rows() -> DotRows {
    #[cfg(target_arch = "x86_64")]
    return x86_64::select();
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    return wasm32::dot_rows;
    #[cfg(not(any(
        target_arch = "x86_64",
        all(target_arch = "wasm32", target_feature = "simd128")
    )))]
    return scalar::dot_rows;
}

/// Every kernel that this machine can run, with its name, the fastest last: for tests and benchmarks.
pub fn available() -> Vec<(&'static str, DotRows)> {
    let mut kernels: Vec<(&'static str, DotRows)> = vec![("scalar", scalar::dot_rows)];
    #[cfg(target_arch = "x86_64")]
    kernels.extend(x86_64::available());
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    kernels.push(("simd128", wasm32::dot_rows));
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn kernels_equal_the_integer_reference(
            lines in 1usize..9,
            rows in prop::collection::vec(prop::collection::vec(0u8..128, 512), 1..12),
            query in prop::collection::vec(any::<i8>(), 512),
            items in prop::collection::vec(0u16..14, 0..20),
        ) {
            let width = lines * 64;
            let codes: Vec<u8> = rows.iter().flat_map(|row| &row[..width]).copied().collect();
            let query = &query[..width];
            let expected: Vec<i32> = items
                .iter()
                .map(|&item| match rows.get(usize::from(item)) {
                    None => i32::MIN,
                    Some(row) => row.iter().zip(query).map(|(&c, &q)| i32::from(c) * i32::from(q)).sum(),
                })
                .collect();
            for (name, kernel) in available() {
                let mut dots = vec![0; items.len()];
                kernel(&codes, &items, query, &mut dots);
                prop_assert_eq!(&dots, &expected, "{}", name);
            }
        }
    }

    #[test]
    fn the_extremes_do_not_saturate() {
        for query in [-128i8, 127] {
            for (name, kernel) in available() {
                let mut dots = [0];
                kernel(&[127; 1024], &[0], &[query; 1024], &mut dots);
                assert_eq!(dots, [127 * i32::from(query) * 1024], "{name}");
            }
        }
    }
}
