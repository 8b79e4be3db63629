//! Elementary functions that compilers can vectorize, unlike those of the system.

use fearless_simd::{Level, Simd, dispatch};

/// e^x for x ≤ 0, relative error below 2e-7 (Cephes' `expf`).
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    /// Adding 1.5 · 2^23 leaves the rounded number in the low bits of the sum.
    const ROUNDING: f32 = 12_582_912.0;
    let x = x.max(-87.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUNDING;
    let whole = shifted - ROUNDING;
    // ln 2 in two parts, so that the product with the first one is exact.
    let r = x - whole * 0.693_359_4 - whole * -2.121_944_4e-4;
    let mut p = 1.987_569_1e-4;
    for c in [
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_5e-1,
        0.5,
    ] {
        p = p * r + c;
    }
    let p = p * r * r + r + 1.0;
    f32::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 23))
}

/// Φ(x) and φ(x), the normal distribution and its density; Φ to 2e-7 (Abramowitz and Stegun 7.1.26).
#[inline(always)]
fn normal(x: f32) -> (f32, f32) {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let e = exp(-z * z);
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let mut p = 1.061_405_4_f32;
    for c in [-1.453_152_1, 1.421_413_8, -0.284_496_74, 0.254_829_6] {
        p = p * t + c;
    }
    let tail = 0.5 * p * t * e;
    let below = if x < 0.0 { tail } else { 1.0 - tail };
    (below, e * 0.398_942_3)
}

/// GELU(x) = x · Φ(x) (Hendrycks and Gimpel 2016).
pub(crate) fn gelu(x: &[f32], y: &mut [f32]) {
    #[inline(always)]
    fn work<S: Simd>(simd: S, x: &[f32], y: &mut [f32]) {
        simd.vectorize(
            #[inline(always)]
            || {
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = x * normal(x).0;
                }
            },
        );
    }
    dispatch!(Level::new(), simd => work(simd, x, y));
}

/// dy · GELU'(x) in place of dy: GELU'(x) = Φ(x) + x · φ(x).
pub(crate) fn gelu_backward(x: &[f32], dy: &mut [f32]) {
    #[inline(always)]
    fn work<S: Simd>(simd: S, x: &[f32], dy: &mut [f32]) {
        simd.vectorize(
            #[inline(always)]
            || {
                for (dy, &x) in dy.iter_mut().zip(x) {
                    let (below, density) = normal(x);
                    *dy *= below + x * density;
                }
            },
        );
    }
    dispatch!(Level::new(), simd => work(simd, x, dy));
}

/// softmax(scale · x) of a row, in place.
pub(crate) fn softmax(row: &mut [f32], scale: f32) {
    #[inline(always)]
    fn work<S: Simd>(simd: S, row: &mut [f32], scale: f32) {
        simd.vectorize(
            #[inline(always)]
            || {
                let largest = row.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
                for x in row.iter_mut() {
                    *x = exp((*x - largest) * scale);
                }
                let factor = 1.0 / row.iter().sum::<f32>();
                for x in row.iter_mut() {
                    *x *= factor;
                }
            },
        );
    }
    dispatch!(Level::new(), simd => work(simd, row, scale));
}

/// The gradient of softmax(scale · x) for its input, in place of dp: scale · p · (dp - Σ p · dp).
pub(crate) fn softmax_backward(p: &[f32], dp: &mut [f32], scale: f32) {
    let dot: f32 = p.iter().zip(&*dp).map(|(p, dp)| p * dp).sum();
    for (dp, p) in dp.iter_mut().zip(p) {
        *dp = scale * p * (*dp - dot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_close_to_the_exact_power() {
        for i in 0..200_000 {
            let x = -(i as f32) * 4e-4;
            let relative = f64::from(exp(x)) / f64::from(x).exp() - 1.0;
            assert!(relative.abs() < 3e-7, "{x}: {relative:e}");
        }
        assert!(exp(-1e30) >= 0.0);
    }

    #[test]
    fn gelu_is_x_times_the_normal_distribution() {
        let x: Vec<f32> = (-8000..=8000).map(|i| i as f32 * 1e-3).collect();
        let mut y = vec![0f32; x.len()];
        gelu(&x, &mut y);
        // The slope between neighbours is the derivative at their middle.
        let middle: Vec<f32> = x.windows(2).map(|x| (x[0] + x[1]) / 2.0).collect();
        let mut slope = vec![1f32; middle.len()];
        gelu_backward(&middle, &mut slope);
        let exact = |x: f32| {
            let x = f64::from(x);
            x * 0.5 * (1.0 + libm::erf(x / 2f64.sqrt()))
        };
        for i in 0..x.len() {
            assert!((f64::from(y[i]) - exact(x[i])).abs() < 1e-6, "{}", x[i]);
        }
        for i in 0..middle.len() {
            let numeric = (exact(x[i + 1]) - exact(x[i])) / f64::from(x[i + 1] - x[i]);
            assert!(
                (f64::from(slope[i]) - numeric).abs() < 2e-5,
                "{}",
                middle[i]
            );
        }
    }
}
