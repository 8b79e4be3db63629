//! Dense products and factorizations whose bits do not depend on the machine: a model exported twice is
//! the same file. General libraries choose fused multiply-adds and block sizes by the processor.

use std::ops::Range;

use fearless_simd::{Level, Simd, dispatch, f32x16, prelude::*};

const LANES: usize = 16;
const ROWS: usize = 8;
/// Terms of sums that are added at a time, so that operands stay in the cache.
const BLOCK: usize = 256;

/// a · b for `a` of `[rows][inner]` and `b` of `[inner][columns]`, each sum in the order of `inner`.
pub(crate) fn product(a: &[f32], b: &[f32], inner: usize, columns: usize) -> Vec<f32> {
    if !columns.is_multiple_of(LANES) {
        let padded = columns.next_multiple_of(LANES);
        let mut wide = vec![0f32; inner * padded];
        for (wide, row) in wide.chunks_exact_mut(padded).zip(b.chunks_exact(columns)) {
            wide[..columns].copy_from_slice(row);
        }
        let out = product(a, &wide, inner, padded);
        let rows = out.chunks_exact(padded);
        return rows.flat_map(|row| &row[..columns]).copied().collect();
    }
    let mut out = vec![0f32; a.len() / inner * columns];
    let level = Level::new();
    for start in (0..inner).step_by(BLOCK) {
        let terms = start..inner.min(start + BLOCK);
        dispatch!(level, simd => add_products(simd, a, b, inner, columns, terms, &mut out));
    }
    out
}

#[inline(always)]
fn add_products<S: Simd>(
    simd: S,
    a: &[f32],
    b: &[f32],
    inner: usize,
    columns: usize,
    terms: Range<usize>,
    out: &mut [f32],
) {
    for column in (0..columns).step_by(LANES) {
        for (a, out) in a.chunks(ROWS * inner).zip(out.chunks_mut(ROWS * columns)) {
            let rows = a.len() / inner;
            let mut sums = [f32x16::splat(simd, 0.0); ROWS];
            for r in 0..rows {
                sums[r] = f32x16::from_slice(simd, &out[r * columns + column..][..LANES]);
            }
            for k in terms.clone() {
                let b = f32x16::from_slice(simd, &b[k * columns + column..][..LANES]);
                for r in 0..ROWS {
                    let a = a[r.min(rows - 1) * inner + k];
                    sums[r] += f32x16::splat(simd, a) * b;
                }
            }
            for r in 0..rows {
                out[r * columns + column..][..LANES].copy_from_slice(sums[r].as_slice());
            }
        }
    }
}

/// `[rows][columns]` → `[columns][rows]`.
pub(crate) fn transpose<T: Copy>(values: &[T], rows: usize, columns: usize) -> Vec<T> {
    let mut transposed = Vec::with_capacity(values.len());
    for c in 0..columns {
        transposed.extend(values.iter().skip(c).step_by(columns).take(rows));
    }
    transposed
}

/// The upper triangular U with Uᵀ · U = H⁻¹, for a symmetric positive definite H of `[n][n]`, or
/// `None` if it is not.
///
/// H = R · Rᵀ with an upper triangular R (a Cholesky decomposition from the last row up), U = R⁻¹.
pub(crate) fn inverse_factor(h: &[f64], n: usize) -> Option<Vec<f64>> {
    // Row i of the transposed R: what R's columns need is then contiguous.
    let mut r = h.to_vec();
    for j in (0..n).rev() {
        let pivot = r[j * n + j];
        if pivot.is_nan() || pivot <= 0.0 {
            return None;
        }
        let root = pivot.sqrt();
        r[j * n..j * n + j].iter_mut().for_each(|x| *x /= root);
        r[j * n + j] = root;
        let (above, row) = r.split_at_mut(j * n);
        for i in 0..j {
            let factor = row[i];
            for (x, y) in above[i * n..i * n + i + 1].iter_mut().zip(&*row) {
                *x -= factor * y;
            }
        }
    }
    // r[j][i] for i ≤ j is now R[i][j]. U · R = 1, row by row of U.
    let mut u = vec![0f64; n * n];
    for i in 0..n {
        for j in i..n {
            // U[i][j] = (δ - Σ U[i][k] · R[k][j] for k < j) / R[j][j]
            let one = if i == j { 1.0 } else { 0.0 };
            let row = &r[j * n..j * n + n];
            let known = &u[i * n + i..i * n + j];
            let dot: f64 = known.iter().zip(&row[i..j]).map(|(u, r)| u * r).sum();
            u[i * n + j] = (one - dot) / row[j];
        }
    }
    Some(u)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_the_definition() {
        let a: Vec<f32> = (0..5 * 3).map(|i| i as f32 - 7.0).collect();
        for columns in [16, 20] {
            let b: Vec<f32> = (0..3 * columns).map(|i| (i % 7) as f32).collect();
            let c = product(&a, &b, 3, columns);
            for r in 0..5 {
                for j in 0..columns {
                    let term = |k: usize| a[r * 3 + k] * b[k * columns + j];
                    assert_eq!(c[r * columns + j], (0..3).map(term).sum::<f32>());
                }
            }
        }
    }

    #[test]
    fn the_factor_multiplies_to_the_inverse() {
        let n = 5;
        // B · Bᵀ + 1 is positive definite.
        let b = |i: usize, j: usize| ((i * 7 + j * 3) % 5) as f64 - 2.0;
        let h: Vec<f64> = (0..n * n)
            .map(|at| {
                let (i, j) = (at / n, at % n);
                (0..n).map(|k| b(i, k) * b(j, k)).sum::<f64>() + f64::from(u8::from(i == j))
            })
            .collect();
        let u = inverse_factor(&h, n).unwrap();
        for i in 0..n {
            assert!(u[i * n..i * n + i].iter().all(|&x| x == 0.0));
            for j in 0..n {
                // (Uᵀ · U) · H = 1
                let inverse =
                    |i: usize, k: usize| (0..n).map(|m| u[m * n + i] * u[m * n + k]).sum::<f64>();
                let one: f64 = (0..n).map(|k| inverse(i, k) * h[k * n + j]).sum();
                assert!(
                    (one - f64::from(u8::from(i == j))).abs() < 1e-9,
                    "{i} {j}: {one}"
                );
            }
        }
    }

    #[test]
    fn an_indefinite_matrix_has_no_factor() {
        assert!(inverse_factor(&[1.0, 2.0, 2.0, 1.0], 2).is_none());
    }

    #[test]
    fn transposes() {
        assert_eq!(transpose(&[1, 2, 3, 4, 5, 6], 2, 3), [1, 4, 2, 5, 3, 6]);
    }
}
