//! Rounding of weights by GPTQ (Frantar et al. 2022).

use crate::matrix::inverse_factor;
use crate::quantize::{Quantized, scale_of};

/// Share of the diagonal's mean that is added to it: directions that no calibration text has
/// stay unchanged.
const DAMPING: f64 = 0.01;

/// Correlation of a linear layer's inputs: an error in one of them is made up for with the others.
pub(crate) struct Correlation {
    inputs: usize,
    /// Uᵀ · U = H⁻¹, where H = Σ x · xᵀ over calibration inputs.
    factor: Option<Vec<f64>>,
}

impl Correlation {
    /// From H, `[inputs][inputs]`.
    pub fn new(moments: &[f32], inputs: usize) -> Self {
        let mut h: Vec<f64> = moments.iter().map(|&x| f64::from(x)).collect();
        let mean = (0..inputs).map(|i| h[i * inputs + i]).sum::<f64>() / inputs as f64;
        for i in 0..inputs {
            h[i * inputs + i] += mean * DAMPING + f64::MIN_POSITIVE;
        }
        Correlation {
            inputs,
            factor: inverse_factor(&h, inputs),
        }
    }
}

/// Quantizes a linear layer's weights `[outputs][inputs]` so that its outputs change least, not its
/// weights (GPTQ, Frantar et al. 2022, section 3): inputs in turn, and what rounding one of them did is
/// made up for by those still to come,
///
/// e = (w_j - code_j · scale) / U_jj, w_k -= e · U_jk for k > j.
pub(crate) fn compensated(weights: &[f32], max: f32, correlation: &Correlation) -> Quantized {
    let inputs = correlation.inputs;
    let Some(factor) = &correlation.factor else {
        return crate::quantize::rows(weights, inputs, max);
    };
    let mut codes = Vec::with_capacity(weights.len());
    let mut scales = Vec::with_capacity(weights.len() / inputs);
    for row in weights.chunks_exact(inputs) {
        let scale = scale_of(row, max);
        let step = f64::from(scale);
        let mut rest: Vec<f64> = row.iter().map(|&w| f64::from(w)).collect();
        for j in 0..inputs {
            let code = (rest[j] / step).round_ties_even();
            let code = code.clamp(-f64::from(max), f64::from(max));
            codes.push(code as i8);
            let u = &factor[j * inputs..(j + 1) * inputs];
            let error = (rest[j] - code * step) / u[j];
            for (w, u) in rest[j + 1..].iter_mut().zip(&u[j + 1..]) {
                *w -= error * u;
            }
        }
        scales.push(scale);
    }
    Quantized { codes, scales }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantize::{WEIGHT_MAX, rows};

    /// Σ (w · x - ŵ · x)² over inputs whose second channel follows the first.
    #[test]
    fn outputs_change_less_than_with_rounding_alone() {
        let inputs: Vec<[f32; 4]> = (0..200)
            .map(|i| {
                let a = ((i * 37) % 101) as f32 / 50.0 - 1.0;
                let b = ((i * 53) % 97) as f32 / 48.0 - 1.0;
                [a, 0.9 * a + 0.1 * b, b, 0.5 * (a - b)]
            })
            .collect();
        let mut moments = vec![0f32; 16];
        for x in &inputs {
            for (at, m) in moments.iter_mut().enumerate() {
                *m += x[at / 4] * x[at % 4];
            }
        }
        let weights: Vec<f32> = (0..32)
            .map(|i| ((i * 29) % 31) as f32 / 15.0 - 1.0)
            .collect();
        let error = |q: &Quantized| -> f32 {
            let of_row = |(o, row): (usize, &[f32])| -> f32 {
                let change = |x: &[f32; 4]| -> f32 {
                    let each =
                        |i: usize| (row[i] - f32::from(q.codes[o * 4 + i]) * q.scales[o]) * x[i];
                    (0..4).map(each).sum()
                };
                inputs.iter().map(|x| change(x).powi(2)).sum()
            };
            weights.chunks_exact(4).enumerate().map(of_row).sum()
        };
        let plain = error(&rows(&weights, 4, WEIGHT_MAX));
        let compensated = error(&compensated(
            &weights,
            WEIGHT_MAX,
            &Correlation::new(&moments, 4),
        ));
        assert!(compensated < 0.7 * plain, "{compensated} of {plain}");
    }
}
