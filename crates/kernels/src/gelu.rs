//! GELU by erf, as a polynomial of this crate.

use fearless_simd::prelude::*;

use crate::backend::{Backend, F32s};

/// Where Φ is taken for 0 and 1: Φ(-5) = 2.9e-7.
const END: f32 = 5.0;

/// Minimax polynomial of (Φ(x) - ½) / x in u = 2x²/25 - 1, lowest power first, the error weighted as
/// GELU weighs it, by x².
const COEFFICIENTS: [f32; 13] = [
    0.141_363_78,
    -0.070_296_65,
    0.051_521_42,
    -0.040_432_95,
    0.031_426_23,
    -0.023_336_73,
    0.016_497_657,
    -0.010_973_233,
    0.006_165_430_4,
    -0.002_915_671_6,
    0.002_001_860_2,
    -0.001_514_154_4,
    0.000_492_969_64,
];

/// GELU(x) = x · Φ(x) = x · (1 + erf(x / √2)) / 2 (Hendrycks and Gimpel 2016), to 2e-6 for |x| ≤ 8.
#[inline(always)]
pub(crate) fn gelu<B: Backend>(backend: B, x: F32s<B>) -> F32s<B> {
    let simd = backend.simd();
    let inside = backend.larger(x, F32s::<B>::splat(simd, -END));
    let inside = backend.smaller(inside, F32s::<B>::splat(simd, END));
    let square = inside * inside * F32s::<B>::splat(simd, 2.0 / (END * END));
    let u = square - F32s::<B>::splat(simd, 1.0);
    let mut slope = F32s::<B>::splat(simd, COEFFICIENTS[12]);
    for c in COEFFICIENTS[..12].iter().rev() {
        slope = slope * u + F32s::<B>::splat(simd, *c);
    }
    x * (inside * slope + F32s::<B>::splat(simd, 0.5))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::{Isa, Work};

    struct At(f32);

    impl Work for At {
        type Output = f32;

        fn run<B: Backend>(self, backend: B) -> f32 {
            gelu(backend, F32s::<B>::splat(backend.simd(), self.0))[0]
        }
    }

    #[test]
    fn is_close_to_the_exact_function() {
        let mut worst = 0f64;
        for i in -160_000..=160_000 {
            let x = i as f32 * 5e-5;
            let y = Isa::detect().run(At(x));
            let x = f64::from(x);
            let exact = x * 0.5 * (1.0 + libm::erf(x / 2f64.sqrt()));
            worst = worst.max((f64::from(y) - exact).abs());
        }
        assert!(worst < 3e-6, "{worst:e}");
    }
}
