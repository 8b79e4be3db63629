//! Layer norm.

use fearless_simd::{Simd, f32x16, prelude::*};
use nearshelf_container::Values;

use crate::error::{Error, Result, finite};
use crate::reduce::{LANES, tree_sum, vectors};

/// The most that a layer is given: no trained model comes near.
pub(crate) const LARGEST_INPUT: f32 = 5000.0;

/// LayerNorm (Ba et al. 2016) over the channels of a token:
/// (x - mean) / √(variance + epsilon) · weight + bias.
#[derive(Debug, Clone)]
pub struct LayerNorm {
    weight: Values<f32>,
    bias: Values<f32>,
    epsilon: f32,
}

impl LayerNorm {
    /// `weight` and `bias` have one value for each channel, of which there is a multiple of 16.
    ///
    /// # Errors
    /// Lengths that do not fit, values that are not finite, an epsilon that is not positive.
    pub fn new(
        name: &str,
        weight: impl Into<Values<f32>>,
        bias: impl Into<Values<f32>>,
        epsilon: f32,
    ) -> Result<Self> {
        let (weight, bias) = (weight.into(), bias.into());
        if weight.is_empty() || !weight.len().is_multiple_of(LANES) || weight.len() != bias.len() {
            return Err(Error::Shape {
                part: name.into(),
                expected: "as many weights as biases, a multiple of 16".into(),
                found: format!("{} and {}", weight.len(), bias.len()),
            });
        }
        finite(name, "weight", &weight)?;
        finite(name, "bias", &bias)?;
        if !(epsilon > 0.0 && epsilon.is_finite()) {
            return Err(Error::Value {
                part: name.into(),
                expected: "a positive epsilon".into(),
                found: epsilon.to_string(),
            });
        }
        Ok(LayerNorm {
            weight,
            bias,
            epsilon,
        })
    }

    /// Weight, bias and epsilon.
    pub fn parts(&self) -> (&Values<f32>, &Values<f32>, f32) {
        (&self.weight, &self.bias, self.epsilon)
    }

    /// Channels of a token.
    pub fn channels(&self) -> usize {
        self.weight.len()
    }

    /// The most that a component of the result can be: a normalized value is at most √channels.
    pub(crate) fn bound(&self) -> f32 {
        let root = (self.channels() as f32).sqrt();
        let bound = |(w, b): (&f32, &f32)| w.abs() * root + b.abs();
        self.weight
            .iter()
            .zip(self.bias.iter())
            .map(bound)
            .fold(0.0, f32::max)
    }

    /// Checks that what comes out is small enough for the layer that follows.
    pub(crate) fn check_range(&self, name: &str) -> Result<()> {
        if self.bound() <= LARGEST_INPUT {
            return Ok(());
        }
        Err(Error::Value {
            part: name.into(),
            expected: format!("a layer norm of results up to {LARGEST_INPUT}"),
            found: format!("results of up to {:e}", self.bound()),
        })
    }

    /// Normalizes one token in place.
    #[inline(always)]
    pub(crate) fn apply<S: Simd>(&self, simd: S, x: &mut [f32]) {
        let count = self.weight.len() as f32;
        let mut sum = f32x16::splat(simd, 0.0);
        for v in vectors(simd, x) {
            sum += v;
        }
        let mean = f32x16::splat(simd, tree_sum(sum) / count);
        let mut squares = f32x16::splat(simd, 0.0);
        for v in vectors(simd, x) {
            let centred = v - mean;
            squares += centred * centred;
        }
        let variance = tree_sum(squares) / count;
        let lanes = S::f32s::LEN;
        let mean = S::f32s::splat(simd, mean[0]);
        let inverse = S::f32s::splat(simd, 1.0 / (variance + self.epsilon).sqrt());
        let affine = self
            .weight
            .chunks_exact(lanes)
            .zip(self.bias.chunks_exact(lanes));
        for (chunk, (weight, bias)) in x.chunks_exact_mut(lanes).zip(affine) {
            let v = (S::f32s::from_slice(simd, chunk) - mean) * inverse;
            let weight = S::f32s::from_slice(simd, weight);
            (v * weight + S::f32s::from_slice(simd, bias)).store_slice(chunk);
        }
    }
}
