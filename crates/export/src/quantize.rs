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

/// The step between codes: the row's largest value has the largest code. A row of zeros has codes of
/// zero under any.
pub(crate) fn scale_of(row: &[f32], max: f32) -> f32 {
    match row.iter().fold(0f32, |m, x| m.max(x.abs())) {
        0.0 => 1.0,
        largest => largest / max,
    }
}

/// Quantizes each row of a `[rows][width]` matrix by its own largest value.
pub(crate) fn rows(values: &[f32], width: usize, max: f32) -> Quantized {
    let mut codes = Vec::with_capacity(values.len());
    let mut scales = Vec::with_capacity(values.len() / width);
    for row in values.chunks_exact(width) {
        let scale = scale_of(row, max);
        let code = |x: &f32| (x / scale).round().clamp(-max, max) as i8;
        codes.extend(row.iter().map(code));
        scales.push(scale);
    }
    Quantized { codes, scales }
}

/// Multiple of the median from which on a channel's inputs are made smaller.
const OUTLIER: f32 = 1.0;
/// Bound for the weights that grow by that, as a multiple of the largest of their output.
const GROWTH: f32 = 1.5;

/// Divisor of each input before it is quantized, its weights being multiplied instead (as
/// SmoothQuant, Xiao et al. 2023, but for outliers alone): a few channels of BERT's layer norms are
/// ten times as large as the others and would set the step of all.
///
/// `sizes` are those of the inputs, `weights` those of all layers that share them, `[outputs][inputs]`.
pub(crate) fn divisors(sizes: &[f32], weights: &[Vec<f32>]) -> Vec<f32> {
    let width = sizes.len();
    let mut sorted = sizes.to_vec();
    sorted.sort_by(f32::total_cmp);
    let usual = OUTLIER * (sorted[(width - 1) / 2] + sorted[width / 2]) / 2.0;
    // Each channel's largest weight, as a share of the largest of its output.
    let mut shares = vec![0f32; width];
    for row in weights.iter().flat_map(|w| w.chunks_exact(width)) {
        let largest = row.iter().fold(f32::MIN_POSITIVE, |m, x| m.max(x.abs()));
        for (share, w) in shares.iter_mut().zip(row) {
            *share = share.max(w.abs() / largest);
        }
    }
    let divisor = |(size, share): (&f32, &f32)| {
        let wanted = if *size > usual { size / usual } else { 1.0 };
        wanted.min((GROWTH / share.max(f32::MIN_POSITIVE)).max(1.0))
    };
    sizes.iter().zip(&shares).map(divisor).collect()
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
    fn only_outliers_are_divided() {
        let weights = vec![vec![1.0, 0.5, 0.01, 1.0]];
        let divisors = divisors(&[1.0, 4.0, 40.0, 0.5], &weights);
        // The median is 2.5; the second and third channel exceed it.
        assert_eq!(divisors, [1.0, 1.6, 16.0, 1.0]);
    }
}
