//! Quantization of unit vectors: 7-bit coarse codes for the walk, 4 more bits for the final scores.

use crate::kernel::{self, BIAS};

/// Fine steps in one coarse step.
const FINE_PER_COARSE: i32 = 16;
/// The largest fine code: 63 coarse steps.
const FINE_MAX: f32 = 63.0 * FINE_PER_COARSE as f32;

/// Bytes of the coarse codes of a vector: its dimensions, rounded up to a cache line.
pub const fn stride(dims: usize) -> usize {
    dims.next_multiple_of(64)
}

/// A vector as a shard stores it.
///
/// A component x is held as x ≈ step · (16 · (code − 64) + residual − 8): `code` has seven bits, with
/// an offset of 64, so that no target's u8 × i8 multiply-add can saturate; `residual` has four.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantizedVector {
    /// Coarse codes in 1 … 127, `[stride]`, padded with 64 (zero).
    pub codes: Vec<u8>,
    /// Residuals, two a byte, the even component in the low half, `[stride / 2]`, padded with 8 (zero).
    pub residuals: Vec<u8>,
    /// The fine step.
    pub step: f32,
}

impl QuantizedVector {
    /// Quantizes a vector of finite components.
    pub fn new(vector: &[f32]) -> Self {
        let stride = stride(vector.len());
        let largest = vector.iter().fold(0f32, |max, x| max.max(x.abs()));
        let step = largest / FINE_MAX;
        let mut codes = vec![BIAS; stride];
        let mut residuals = vec![0x88; stride / 2];
        if step > 0.0 {
            for (i, x) in vector.iter().enumerate() {
                let fine = (x / step).round().clamp(-FINE_MAX, FINE_MAX) as i32;
                let coarse = (fine + FINE_PER_COARSE / 2).div_euclid(FINE_PER_COARSE);
                let residual = (fine + FINE_PER_COARSE / 2).rem_euclid(FINE_PER_COARSE) as u8;
                codes[i] = (coarse + i32::from(BIAS)) as u8;
                let byte = &mut residuals[i / 2];
                *byte = match i % 2 {
                    0 => *byte & 0xf0 | residual,
                    _ => *byte & 0x0f | residual << 4,
                };
            }
        }
        QuantizedVector {
            codes,
            residuals,
            step,
        }
    }
}

/// A query vector, quantized once for all shards.
#[derive(Debug, Clone)]
pub struct Query {
    dims: usize,
    /// Signed 8-bit codes for the walk, padded with zeros to the stride.
    pub(crate) coarse: Vec<i8>,
    /// What the codes' offset adds to every dot product.
    pub(crate) offset: i32,
    /// What a cosine of 1 is as a score by coarse codes.
    pub(crate) unit: f32,
    /// Signed 16-bit codes for the final scores, padded with zeros to the stride.
    pub(crate) fine: Vec<i16>,
    /// Step of the fine codes.
    pub(crate) step: f64,
}

impl Query {
    /// Quantizes a query vector; `None` when a component is not finite.
    pub fn new(vector: &[f32]) -> Option<Self> {
        if !vector.iter().all(|x| x.is_finite()) {
            return None;
        }
        let largest = vector.iter().fold(0f32, |max, x| max.max(x.abs()));
        let stride = stride(vector.len());
        let mut query = Query {
            dims: vector.len(),
            coarse: vec![0; stride],
            offset: 0,
            unit: 127.0 / (FINE_PER_COARSE as f32 * largest),
            fine: vec![0; stride],
            step: f64::from(largest) / 32767.0,
        };
        if largest > 0.0 {
            let largest = f64::from(largest);
            for (i, &x) in vector.iter().enumerate() {
                let unit = f64::from(x) / largest;
                query.coarse[i] = (unit * 127.0).round() as i8;
                query.fine[i] = (unit * 32767.0).round() as i16;
                query.offset += i32::from(query.coarse[i]) * i32::from(BIAS);
            }
        }
        Some(query)
    }

    /// Components of the vector.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// The final score of a stored vector: ⟨query, vector⟩, from an exact integer sum.
    pub(crate) fn rescore(&self, codes: &[u8], residuals: &[u8], step: f32) -> f32 {
        let sum = kernel::dot_fine(codes, residuals, &self.fine);
        (sum as f64 * (self.step * f64::from(step))) as f32
    }
}

/// ⟨a, b⟩ with a fixed order of additions (sixteen lanes, then a tree), the same bits on every target.
pub fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0f32; 16];
    for (a, b) in a.chunks(16).zip(b.chunks(16)) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dequantize(vector: &QuantizedVector, i: usize) -> f32 {
        let residual = vector.residuals[i / 2] >> (i % 2 * 4) & 15;
        vector.step * (16 * (i32::from(vector.codes[i]) - 64) + i32::from(residual) - 8) as f32
    }

    proptest! {
        #[test]
        fn a_component_comes_back_within_half_a_fine_step(
            vector in prop::collection::vec(-1f32..1f32, 1..200)
        ) {
            let quantized = QuantizedVector::new(&vector);
            for (i, x) in vector.iter().enumerate() {
                let error = (dequantize(&quantized, i) - x).abs();
                prop_assert!(error <= quantized.step * 0.5001, "component {i}: {error}");
            }
            prop_assert!(quantized.codes.iter().all(|&c| (1..=127).contains(&c)));
        }

        #[test]
        fn the_final_score_is_near_the_dot_product(
            pair in prop::collection::vec((-1f32..1f32, -1f32..1f32), 1..500)
        ) {
            let (a, b): (Vec<f32>, Vec<f32>) = pair.into_iter().unzip();
            let norm = |v: &[f32]| v.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-6);
            let (na, nb) = (norm(&a), norm(&b));
            let a: Vec<f32> = a.iter().map(|x| x / na).collect();
            let b: Vec<f32> = b.iter().map(|x| x / nb).collect();
            let exact: f64 = a.iter().zip(&b).map(|(a, b)| f64::from(a * b)).sum();
            let stored = QuantizedVector::new(&b);
            let query = Query::new(&a).unwrap();
            let score = query.rescore(&stored.codes, &stored.residuals, stored.step);
            // A component is off by half a step at most, a step is at most 1/1008 of the largest.
            prop_assert!((f64::from(score) - exact).abs() < 1e-3 + 1e-6);
        }
    }

    #[test]
    fn zeros_and_non_finite_numbers() {
        assert_eq!(QuantizedVector::new(&[0.0; 5]).step, 0.0);
        let query = Query::new(&[0.0; 5]).unwrap();
        let stored = QuantizedVector::new(&[0.5, -0.5, 0.1, 0.0, 0.2]);
        assert_eq!(
            query.rescore(&stored.codes, &stored.residuals, stored.step),
            0.0
        );
        assert!(Query::new(&[0.0, f32::NAN]).is_none());
        assert!(Query::new(&[f32::INFINITY]).is_none());
    }
}
