//! Queries as they are compared with codes.

use super::coded::{Codes, unit};
use super::precision::Precision;
use super::rotation::{padded, rotate};
use crate::kernel;

/// A vector that codes are compared with.
#[derive(Debug, Clone)]
pub struct Query {
    dims: usize,
    /// Signed 8-bit codes for walks, `[padded]`.
    coarse: Vec<i8>,
    /// Signed 16-bit codes for final scores, `[padded]`.
    fine: Vec<i16>,
    /// One step of the fine codes.
    step: f64,
}

impl Query {
    /// Prepares a query vector; `None` when a component is not finite.
    pub fn new(vector: &[f32]) -> Option<Self> {
        if !vector.iter().all(|x| x.is_finite()) {
            return None;
        }
        let rotated = rotate(vector);
        let largest = rotated.iter().fold(0f32, |max, x| max.max(x.abs()));
        let mut query = Query {
            dims: vector.len(),
            coarse: vec![0; rotated.len()],
            fine: vec![0; rotated.len()],
            step: f64::from(largest) / 32767.0,
        };
        if largest > 0.0 && largest.is_finite() {
            let fine = 32767.0 / largest;
            for (to, x) in query.fine.iter_mut().zip(&rotated) {
                *to = rounded(x * fine) as i16;
            }
            let coarse = 127.0 / largest;
            for (to, x) in query.coarse.iter_mut().zip(&rotated) {
                *to = rounded(x * coarse) as i8;
            }
        }
        Some(query)
    }

    /// A stored vector as a query for walks: what builders look for neighbours with.
    pub fn of_codes(codes: Codes<'_>, precision: Precision, dims: usize) -> Self {
        let mut coarse = Vec::with_capacity(padded(dims));
        let largest = precision.largest();
        codes.blocks(precision, |_, values| {
            coarse.extend(values.iter().map(|&v| {
                let v = 2 * 127 * i32::from(v);
                ((v + largest * v.signum()) / (2 * largest)) as i8
            }));
        });
        Query {
            dims,
            coarse,
            fine: Vec::new(),
            step: 0.0,
        }
    }

    /// Components of the vector.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// Signed 8-bit codes of the rotated vector: Σ of their products with coarse codes is a score of walks.
    pub fn coarse(&self) -> &[i8] {
        &self.coarse
    }

    /// ⟨query, vector⟩ by all bits of the vector's codes.
    pub fn score(&self, codes: Codes<'_>, precision: Precision) -> f32 {
        let sum = kernel::dot_fine(codes, precision, &self.fine);
        (sum as f64 * (self.step * unit(precision, self.dims))) as f32
    }
}

/// The nearest whole number, halves away from zero: no call of a library's function.
fn rounded(x: f32) -> i32 {
    (x + 0.5f32.copysign(x)) as i32
}
