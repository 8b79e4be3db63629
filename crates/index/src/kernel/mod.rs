//! Dot products of codes. All of them are exact integer sums, so that every kernel gives the same
//! number; which one runs is decided once per process on x86-64, and at compile time elsewhere.

#[cfg(target_arch = "aarch64")]
mod aarch64;
mod fine;
mod prefetch;
mod rows;
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm32;
#[cfg(target_arch = "x86_64")]
mod x86_64;

pub use fine::dot_fine;
pub(crate) use prefetch::prefetch;
pub use rows::DotRows;

/// The fastest kernel for this machine.
pub fn dot_rows() -> DotRows {
    #[cfg(target_arch = "x86_64")]
    return x86_64::select();
    #[cfg(target_arch = "aarch64")]
    return aarch64::dot_rows;
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    return wasm32::dot_rows;
    #[cfg(not(any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        all(target_arch = "wasm32", target_feature = "simd128")
    )))]
    return scalar::dot_rows;
}

/// Every kernel that this machine can run, with its name, the fastest last: for tests and benchmarks.
pub fn available() -> Vec<(&'static str, DotRows)> {
    let mut kernels: Vec<(&'static str, DotRows)> = vec![("scalar", scalar::dot_rows)];
    #[cfg(target_arch = "x86_64")]
    kernels.extend(x86_64::available());
    #[cfg(target_arch = "aarch64")]
    kernels.push(("neon", aarch64::dot_rows));
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    kernels.push(("simd128", wasm32::dot_rows));
    kernels
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition: component by component.
    fn expected(row: &[u8], query: &[i8]) -> i32 {
        if row.len() * 2 != query.len() {
            return i32::MIN;
        }
        let code = |d: usize| row[d / 128 * 64 + d % 64] >> (d % 128 / 64 * 4) & 15;
        (0..query.len())
            .map(|d| i32::from(code(d)) * i32::from(query[d]))
            .sum()
    }

    proptest! {
        #[test]
        fn kernels_equal_the_integer_reference(
            lines in 1usize..10,
            rows in prop::collection::vec(prop::collection::vec(any::<u8>(), 576), 0..12),
            query in prop::collection::vec(any::<i8>(), 1152),
            short in any::<bool>(),
        ) {
            let mut rows: Vec<&[u8]> = rows.iter().map(|row| &row[..lines * 64]).collect();
            if short {
                rows.push(&[]);
            }
            let query = &query[..lines * 128];
            let expected: Vec<i32> = rows.iter().map(|row| expected(row, query)).collect();
            for (name, kernel) in available() {
                let mut dots = vec![0; rows.len()];
                kernel(&rows, query, &mut dots);
                prop_assert_eq!(&dots, &expected, "{}", name);
            }
        }
    }

    #[test]
    fn the_extremes_do_not_saturate() {
        for query in [-128i8, 127] {
            for (name, kernel) in available() {
                for lines in [1, 3, 8, 64] {
                    let mut dots = [0; 5];
                    let row = vec![0xff; lines * 64];
                    kernel(&[&row[..]; 5], &vec![query; lines * 128], &mut dots);
                    let sum = 15 * i32::from(query) * lines as i32 * 128;
                    assert_eq!(dots, [sum; 5], "{name}");
                }
            }
        }
    }
}
