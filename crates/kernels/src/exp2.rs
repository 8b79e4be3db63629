//! 2^x as a polynomial of this crate.

use fearless_simd::prelude::*;

use crate::backend::{Backend, F32s, I32s};
use crate::quantize::ROUNDING;

/// Minimax polynomial of 2^r on |r| ≤ ½, lowest power first; relative error 7.5e-8.
const COEFFICIENTS: [f32; 6] = [
    1.000_000_1,
    0.693_146_94,
    0.240_221_2,
    0.055_507_13,
    0.009_675_542,
    0.001_327_647_2,
];

/// The least exponent: 2^-126 is the smallest normal number.
const LEAST: f32 = -126.0;

/// 2^x for x ≤ 0: the whole part goes into the exponent, the rest through a polynomial.
#[inline(always)]
pub(crate) fn exp2<B: Backend>(backend: B, x: F32s<B>) -> F32s<B> {
    let simd = backend.simd();
    let x = backend.larger(x, F32s::<B>::splat(simd, LEAST));
    // Adding 1.5 · 2^23 leaves the rounded number in the low bits of the sum.
    let rounding = F32s::<B>::splat(simd, ROUNDING);
    let shifted = x + rounding;
    let rest = x - (shifted - rounding);
    let mut power = F32s::<B>::splat(simd, COEFFICIENTS[5]);
    for c in COEFFICIENTS[..5].iter().rev() {
        power = power * rest + F32s::<B>::splat(simd, *c);
    }
    let exponent = shifted.bitcast::<I32s<B>>() << 23;
    (power.bitcast::<I32s<B>>() + exponent).bitcast()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::{Isa, Work};

    struct At(f32);

    impl Work for At {
        type Output = f32;

        fn run<B: Backend>(self, backend: B) -> f32 {
            exp2(backend, F32s::<B>::splat(backend.simd(), self.0))[0]
        }
    }

    #[test]
    fn is_close_to_the_exact_power() {
        let mut worst = 0f64;
        for i in 0..400_000 {
            let x = -(i as f32) * 3.1e-4;
            let y = Isa::detect().run(At(x));
            worst = worst.max((f64::from(y) / f64::from(x).exp2() - 1.0).abs());
        }
        assert!(worst < 2.5e-7, "{worst:e}");
    }

    #[test]
    fn never_leaves_the_normal_numbers() {
        let y = Isa::detect().run(At(-1e30));
        assert_eq!(y, f32::MIN_POSITIVE * COEFFICIENTS[0]);
    }
}
