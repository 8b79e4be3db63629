//! Symmetric quantization of weights, a scale for each output channel or row.

/// The largest weight code: seven bits with the sign, so that a sum of two u8 × i8 products fits in
/// 16 bits (2 · 255 · 63 < 2^15) and AVX2's `vpmaddubsw` cannot saturate.
pub(crate) const WEIGHT_MAX: f32 = 63.0;
/// The largest code of an embedding, which is gathered and never multiplied in integers.
pub(crate) const EMBEDDING_MAX: f32 = 127.0;

/// Codes and scales: value ≈ code · scale.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Quantized {
    pub codes: Vec<i8>,
    pub scales: Vec<f32>,
}

/// Quantizes each row of a `[rows][width]` matrix by its own largest value.
pub(crate) fn rows(values: &[f32], width: usize, max: f32) -> Quantized {
    let mut codes = Vec::with_capacity(values.len());
    let mut scales = Vec::with_capacity(values.len() / width);
    for row in values.chunks_exact(width) {
        let largest = row.iter().fold(0f32, |m, x| m.max(x.abs()));
        // A row of zeros has codes of zero under any scale.
        let scale = if largest > 0.0 { largest / max } else { 1.0 };
        codes.extend(
            row.iter()
                .map(|x| (x / scale).round().clamp(-max, max) as i8),
        );
        scales.push(scale);
    }
    Quantized { codes, scales }
}

/// `[rows][columns]` → `[columns][rows]`.
pub(crate) fn transpose<T: Copy>(values: &[T], rows: usize, columns: usize) -> Vec<T> {
    (0..columns)
        .flat_map(|c| (0..rows).map(move |r| values[r * columns + c]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn codes_stay_in_range_and_near(
            values in prop::collection::vec(-10f32..10f32, 12),
            max in prop::sample::select(vec![WEIGHT_MAX, EMBEDDING_MAX])
        ) {
            let quantized = rows(&values, 4, max);
            for (i, x) in values.iter().enumerate() {
                let (code, scale) = (f32::from(quantized.codes[i]), quantized.scales[i / 4]);
                prop_assert!(code.abs() <= max);
                prop_assert!((code * scale - x).abs() <= scale * 0.501);
            }
        }
    }

    #[test]
    fn a_row_of_zeros_stays_zero() {
        let quantized = rows(&[0.0; 3], 3, WEIGHT_MAX);
        assert_eq!(quantized.codes, [0; 3]);
        assert!(quantized.scales[0].is_finite());
    }

    #[test]
    fn transposes() {
        assert_eq!(transpose(&[1, 2, 3, 4, 5, 6], 2, 3), [1, 4, 2, 5, 3, 6]);
    }
}
