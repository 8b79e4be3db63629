//! Activations as 8-bit codes, a scale and a middle for each token.

use fearless_simd::{Simd, prelude::*};

use nearshelf_container::Values;

use crate::backend::{Backend, F32s, I32s};
use crate::room::resize;

/// 1.5 · 2^23: a small number added to it is rounded to the nearest whole one, ties to even, which then
/// stands in the low bits of the sum.
pub(crate) const ROUNDING: f32 = 12_582_912.0;

/// The largest code: codes are symmetric, -127 … 127.
const CODE_MAX: f32 = 127.0;

/// The least scale, so that a token of equal values has one to be divided by.
const LEAST_SCALE: f32 = f32::MIN_POSITIVE * 1024.0;

/// Shaping of a linear layer's input before it is quantized: (x - center) · gain.
///
/// The center is what the weights' bias makes up for; the gain takes from the few channels that are far
/// larger than the others what the weights give back (as in SmoothQuant, Xiao et al. 2023, section 4).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shaping {
    /// Empty for zeros.
    pub center: Values<f32>,
    pub gain: Values<f32>,
}

/// A [`Shaping`] whose numbers were looked up.
#[derive(Clone, Copy)]
pub(crate) struct ShapingView<'a> {
    center: &'a [f32],
    gain: &'a [f32],
}

impl Shaping {
    /// Where both are empty there is nothing to do.
    pub fn new(inputs: usize, center: Values<f32>, gain: Values<f32>) -> Option<Self> {
        let gain = match gain.is_empty() {
            true if center.is_empty() => return None,
            true => vec![1.0; inputs].into(),
            false => gain,
        };
        Some(Shaping { center, gain })
    }

    pub fn view(&self) -> ShapingView<'_> {
        ShapingView {
            center: &self.center,
            gain: &self.gain,
        }
    }
}

/// Quantized tokens: x ≈ middle + scale · code, `[tokens][channels]`.
#[derive(Default)]
pub(crate) struct Quantized {
    /// Codes, four to a word in the order of their channels, little-endian.
    pub words: Vec<i32>,
    /// For each token.
    pub tokens: Vec<Token>,
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Token {
    pub scale: f32,
    pub middle: f32,
    /// Σ codes.
    pub sum: i32,
}

impl Quantized {
    /// Makes room for `tokens` tokens of `channels` channels.
    pub fn resize(&mut self, tokens: usize, channels: usize) {
        resize(&mut self.words, tokens * channels / 4);
        resize(&mut self.tokens, tokens);
    }
}

/// Quantizes one token, `x` of a multiple of 64 channels, into `words`:
/// t = (x - center) · gain, middle = (max t + min t) / 2, scale = (max t - min t) / 254,
/// code = round((t - middle) / scale).
#[inline(always)]
pub(crate) fn quantize<B: Backend>(
    backend: B,
    x: &[f32],
    shaping: Option<ShapingView<'_>>,
    words: &mut [i32],
) -> Token {
    match shaping {
        None => quantize_shaped(backend, x, &Unshaped, words),
        Some(ShapingView { center: [], gain }) => quantize_shaped(backend, x, &Gained(gain), words),
        Some(shaping) => quantize_shaped(backend, x, &shaping, words),
    }
}

/// Shaping of inputs, those from `i` on.
trait Shape {
    fn shape<S: Simd>(&self, simd: S, i: usize, x: S::f32s) -> S::f32s;
}

struct Unshaped;

impl Shape for Unshaped {
    #[inline(always)]
    fn shape<S: Simd>(&self, _: S, _: usize, x: S::f32s) -> S::f32s {
        x
    }
}

/// Inputs without a center.
struct Gained<'a>(&'a [f32]);

impl Shape for Gained<'_> {
    #[inline(always)]
    fn shape<S: Simd>(&self, simd: S, i: usize, x: S::f32s) -> S::f32s {
        x * S::f32s::from_slice(simd, &self.0[i..i + S::f32s::LEN])
    }
}

impl Shape for ShapingView<'_> {
    #[inline(always)]
    fn shape<S: Simd>(&self, simd: S, i: usize, x: S::f32s) -> S::f32s {
        let at = i..i + S::f32s::LEN;
        let center = S::f32s::from_slice(simd, &self.center[at.clone()]);
        (x - center) * S::f32s::from_slice(simd, &self.gain[at])
    }
}

#[inline(always)]
fn quantize_shaped<B: Backend>(
    backend: B,
    x: &[f32],
    shape: &impl Shape,
    words: &mut [i32],
) -> Token {
    let simd = backend.simd();
    let lanes = F32s::<B>::LEN;
    let mut most = F32s::<B>::splat(simd, f32::MIN);
    let mut least = F32s::<B>::splat(simd, f32::MAX);
    for (i, chunk) in x.chunks_exact(lanes).enumerate() {
        let t = shape.shape(simd, i * lanes, F32s::<B>::from_slice(simd, chunk));
        most = backend.larger(most, t);
        least = backend.smaller(least, t);
    }
    let (most, least) = (most.reduce_max(), least.reduce_min());
    // The sign of a zero, which instruction sets choose differently, is lost here.
    let middle = (most + least) * 0.5 + 0.0;
    let scale = ((most - least) * (0.5 / CODE_MAX)).max(LEAST_SCALE);
    let middles = F32s::<B>::splat(simd, middle);
    let per_step = F32s::<B>::splat(simd, 1.0 / scale);
    let rounding = F32s::<B>::splat(simd, ROUNDING);
    let zero = I32s::<B>::splat(simd, ROUNDING.to_bits().cast_signed());
    let mut sums = I32s::<B>::splat(simd, 0);
    // Four registers of numbers make one of codes.
    let out = words.chunks_exact_mut(lanes);
    for (i, (four, out)) in x.chunks_exact(4 * lanes).zip(out).enumerate() {
        let mut codes = [zero; 4];
        for j in 0..4 {
            let t = F32s::<B>::from_slice(simd, &four[j * lanes..(j + 1) * lanes]);
            let t = shape.shape(simd, (4 * i + j) * lanes, t);
            let rounded = (t - middles) * per_step + rounding;
            codes[j] = rounded.bitcast::<I32s<B>>() - zero;
            sums += codes[j];
        }
        let low = codes[0].relaxed_narrow(codes[1]);
        let bytes = low.relaxed_narrow(codes[2].relaxed_narrow(codes[3]));
        bytes.bitcast::<I32s<B>>().store_slice(out);
    }
    Token {
        scale,
        middle,
        sum: sums.reduce_sum(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::isa::{Isa, Work};

    struct Quantize<'a> {
        x: &'a [f32],
        shaping: Option<&'a Shaping>,
    }

    impl Work for Quantize<'_> {
        type Output = (Vec<i32>, Token);

        fn run<B: Backend>(self, backend: B) -> Self::Output {
            let mut words = vec![0; self.x.len() / 4];
            let token = quantize(backend, self.x, self.shaping.map(Shaping::view), &mut words);
            (words, token)
        }
    }

    proptest! {
        #[test]
        fn codes_are_within_half_a_step(
            x in prop::collection::vec(-1e3f32..1e3, 128),
            gain in prop::collection::vec(0.1f32..2.0, 128),
            shaped in any::<bool>(),
        ) {
            let center: Vec<f32> = x.iter().rev().map(|x| x * 0.5).collect();
            let shaping = Shaping { center: center.clone().into(), gain: gain.clone().into() };
            let shaping = shaped.then_some(&shaping);
            let expected: Vec<f32> = match shaping {
                None => x.clone(),
                Some(_) => (0..128).map(|i| (x[i] - center[i]) * gain[i]).collect(),
            };
            let mut first = None;
            for isa in Isa::available() {
                let (words, token) = isa.run(Quantize { x: &x, shaping });
                let codes: Vec<i8> =
                    words.iter().flat_map(|w| w.to_le_bytes()).map(u8::cast_signed).collect();
                let sum: i32 = codes.iter().map(|&c| i32::from(c)).sum();
                prop_assert_eq!(sum, token.sum);
                for (code, t) in codes.iter().zip(&expected) {
                    let back = token.middle + token.scale * f32::from(*code);
                    prop_assert!((back - t).abs() <= token.scale * 0.51, "{} {}", back, t);
                    prop_assert!(*code >= -127);
                }
                let bits = (words, token.scale.to_bits(), token.middle.to_bits());
                prop_assert_eq!(first.get_or_insert(bits.clone()), &bits, "{:?}", isa);
            }
        }
    }

    #[test]
    fn equal_values_come_back_exactly() {
        for isa in Isa::available() {
            let (words, token) = isa.run(Quantize {
                x: &[-2.5; 64],
                shaping: None,
            });
            assert_eq!((words, token.middle), (vec![0; 16], -2.5));
        }
    }
}
