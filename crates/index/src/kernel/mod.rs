//! Dot products of codes. All of them are exact integer sums, so that every kernel gives the same
//! number; which one runs is decided once per process on x86-64, and at compile time elsewhere.

mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm32;
#[cfg(target_arch = "x86_64")]
mod x86_64;

/// The offset of coarse codes: a code of 64 is zero.
pub const BIAS: u8 = 64;

/// Rows ahead of the one being worked on whose cache lines are asked for: with six lines a row, about
/// as many as a core keeps under way at once.
const PREFETCH_AHEAD: usize = 4;

/// Σ codes · query for each of the rows `items` of `codes`, into `dots`.
///
/// Rows are as long as the query, a multiple of 64, and their codes are in 0 … 127. A row that is not
/// inside `codes` gives `i32::MIN`. As many dots are written as the shorter of `items` and `dots` has.
pub type DotRows = fn(codes: &[u8], items: &[u16], query: &[i8], dots: &mut [i32]);

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

/// The loop that all kernels share: `dot` sees one row at a time, the rows to come are asked for.
#[inline(always)]
fn for_rows(
    codes: &[u8],
    items: &[u16],
    query: &[i8],
    dots: &mut [i32],
    dot: impl Fn(&[u8], &[i8]) -> i32,
) {
    let row = |item: u16| {
        let start = usize::from(item) * query.len();
        codes.get(start..start + query.len())
    };
    for &item in items.iter().take(PREFETCH_AHEAD) {
        if let Some(row) = row(item) {
            prefetch(row);
        }
    }
    for (i, (&item, out)) in items.iter().zip(dots).enumerate() {
        if let Some(row) = items.get(i + PREFETCH_AHEAD).and_then(|&ahead| row(ahead)) {
            prefetch(row);
        }
        *out = row(item).map_or(i32::MIN, |row| dot(row, query));
    }
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
