use std::borrow::Cow;
use std::ops::RangeInclusive;

use crate::error::{Error, Result, finite};
use crate::quantize::Shaping;
use crate::reduce::LANES;

/// The largest weight code: 7 bits, symmetric. With an offset of 64 codes are 1 … 127, which neither
/// AVX2's byte products nor wasm's relaxed dot product saturate with.
pub const WEIGHT_MAX: i8 = 63;

/// The codes of weights: 7 bits.
const WEIGHT_RANGE: RangeInclusive<i8> = -WEIGHT_MAX - 1..=WEIGHT_MAX;

/// Whether all codes have 7 bits.
pub fn in_range(codes: &[i8]) -> bool {
    // The least and the most of many are found faster than the first that is wrong.
    let extremes = |(least, most): (i8, i8), &code: &i8| (least.min(code), most.max(code));
    let (least, most) = codes.iter().fold((0, 0), extremes);
    WEIGHT_RANGE.contains(&least) && WEIGHT_RANGE.contains(&most)
}

/// What makes stored codes unsigned.
const OFFSET: i8 = 64;
pub(crate) const WEIGHT_OFFSET: i32 = OFFSET as i32;

/// The weights of 16 output channels for 4 inputs: `[channel][input]`, offset by 64.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Block(pub [u8; 64]);

/// What follows a linear layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// GELU by erf.
    Gelu,
    /// max(x, 0).
    Relu,
}

/// The quantized weights of a linear layer.
#[derive(Debug, Clone)]
pub struct Weights<'a> {
    /// Codes of -64 to 63, `[inputs][outputs]`, as ONNX's products have them.
    pub codes: Cow<'a, [i8]>,
    /// A weight is its code times its output's scale.
    pub scales: Vec<f32>,
    /// Added to each output.
    pub bias: Vec<f32>,
    /// Taken from each input before it is quantized; empty for nothing. The bias already holds what
    /// it amounts to.
    pub center: Vec<f32>,
    /// What each input is multiplied with before it is quantized; empty for ones.
    pub gain: Vec<f32>,
}

/// A linear layer, ready to be multiplied with: y = x · Wᵀ + b.
#[derive(Debug, Clone)]
pub struct Linear {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// `[outputs / 16][inputs / 4]`.
    pub(crate) blocks: Vec<Block>,
    pub(crate) scales: Vec<f32>,
    /// scale · Σ codes of each output: what a token's middle is multiplied with.
    pub(crate) middles: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) shaping: Option<Shaping>,
    pub(crate) activation: Activation,
}

/// Quantizes weights `[inputs][outputs]` to 7 bits; codes and the scales of outputs:
/// scale = max |w| / 63, code = round(w / scale).
pub fn quantize_weights(weights: &[f32], outputs: usize) -> (Vec<i8>, Vec<f32>) {
    let mut scales = vec![0f32; outputs];
    for row in weights.chunks_exact(outputs) {
        for (scale, w) in scales.iter_mut().zip(row) {
            *scale = scale.max(w.abs());
        }
    }
    for scale in &mut scales {
        *scale = match *scale {
            0.0 => 1.0,
            largest => largest / f32::from(WEIGHT_MAX),
        };
    }
    let code = |(w, scale): (&f32, &f32)| (w / scale).round_ties_even() as i8;
    let rows = weights.chunks_exact(outputs);
    let codes = rows
        .flat_map(|row| row.iter().zip(&scales).map(code))
        .collect();
    (codes, scales)
}

impl Linear {
    /// Packs the weights of a layer with `inputs` inputs, a multiple of 64; its outputs are a multiple
    /// of 16.
    ///
    /// # Errors
    /// Sizes that do not fit, codes of more than 7 bits, values that are not finite.
    pub fn new(
        name: &str,
        inputs: usize,
        weights: &Weights<'_>,
        activation: Activation,
    ) -> Result<Self> {
        Self::joined(name, inputs, &[weights], activation)
    }

    /// Packs layers with the same input as one, their outputs one behind the other.
    ///
    /// # Errors
    /// Those of [`Linear::new`]; inputs that are not shaped alike.
    pub fn joined(
        name: &str,
        inputs: usize,
        parts: &[&Weights<'_>],
        activation: Activation,
    ) -> Result<Self> {
        let shape = |expected: &str, found: String| {
            Err(Error::Shape {
                part: name.into(),
                expected: expected.into(),
                found,
            })
        };
        // 127 · 127 · 2^14 inputs fit in 32 bits.
        if inputs == 0 || !inputs.is_multiple_of(64) || inputs > 1 << 14 {
            return shape(
                "inputs in a multiple of 64, at most 16,384",
                inputs.to_string(),
            );
        }
        let mut linear = Linear {
            inputs,
            outputs: 0,
            blocks: Vec::new(),
            scales: Vec::new(),
            middles: Vec::new(),
            bias: Vec::new(),
            shaping: None,
            activation,
        };
        for (i, weights) in parts.iter().enumerate() {
            let outputs = weights.scales.len();
            if outputs == 0 || !outputs.is_multiple_of(LANES) {
                return shape("outputs in a multiple of 16", outputs.to_string());
            }
            if weights.codes.len() != inputs * outputs || weights.bias.len() != outputs {
                return shape(
                    &format!("{inputs} codes and a bias for each of {outputs} outputs"),
                    format!(
                        "{} codes, {} biases",
                        weights.codes.len(),
                        weights.bias.len()
                    ),
                );
            }
            for (kind, values) in [("center", &weights.center), ("gain", &weights.gain)] {
                if !values.is_empty() && values.len() != inputs {
                    return shape(&format!("{inputs} {kind}s"), values.len().to_string());
                }
                finite(name, kind, values)?;
            }
            let shaping = Shaping::new(inputs, &weights.center, &weights.gain);
            if i > 0 && shaping != linear.shaping {
                return shape("inputs that are shaped alike", "different ones".into());
            }
            linear.shaping = shaping;
            finite(name, "scale", &weights.scales)?;
            finite(name, "bias", &weights.bias)?;
            let (least, most) = WEIGHT_RANGE.into_inner();
            if !in_range(&weights.codes) {
                let wrong = weights
                    .codes
                    .iter()
                    .find(|code| !WEIGHT_RANGE.contains(code));
                return Err(Error::Value {
                    part: name.into(),
                    expected: format!("codes of {least} to {most}"),
                    found: wrong.map_or_else(String::new, i8::to_string),
                });
            }
            linear.pack(weights);
        }
        Ok(linear)
    }

    fn pack(&mut self, weights: &Weights<'_>) {
        let outputs = weights.scales.len();
        self.outputs += outputs;
        self.blocks.reserve_exact(weights.codes.len() / 64);
        for group in (0..outputs).step_by(LANES) {
            for four in weights.codes.chunks_exact(4 * outputs) {
                let row = |i: usize| &four[i * outputs + group..i * outputs + group + LANES];
                let (r0, r1, r2, r3) = (row(0), row(1), row(2), row(3));
                let mut block = Block([0; 64]);
                for (o, of_output) in block.0.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                    let offset = |code: i8| code.wrapping_add(OFFSET).cast_unsigned();
                    *of_output = [offset(r0[o]), offset(r1[o]), offset(r2[o]), offset(r3[o])];
                }
                self.blocks.push(block);
            }
        }
        let mut sums = vec![0i32; outputs];
        for row in weights.codes.chunks_exact(outputs) {
            for (sum, code) in sums.iter_mut().zip(row) {
                *sum += i32::from(*code);
            }
        }
        let middles = sums
            .iter()
            .zip(&weights.scales)
            .map(|(sum, scale)| *sum as f32 * scale);
        self.middles.extend(middles);
        self.scales.extend(&weights.scales);
        self.bias.extend(&weights.bias);
    }

    /// Channels in.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Channels out.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Bytes of the packed weights.
    pub fn bytes(&self) -> usize {
        self.blocks.len() * size_of::<Block>()
    }

    /// The most that an output can be in size when no input is larger than `bound`. It bounds what
    /// stands between, too.
    pub(crate) fn bound(&self, bound: f32) -> f32 {
        let shaped = match &self.shaping {
            None => bound,
            Some(Shaping { center, gain }) => {
                let centers = center.iter().copied().chain(std::iter::repeat(0.0));
                let shaped = |(c, g): (f32, &f32)| (bound + c.abs()) * g.abs();
                centers.zip(gain).map(shaped).fold(0.0, f32::max)
            }
        };
        let largest = |values: &[f32]| values.iter().fold(0f32, |m, x| m.max(x.abs()));
        let product = largest(&self.scales) * WEIGHT_OFFSET as f32 * self.inputs as f32;
        2.0 * shaped * product + largest(&self.bias)
    }
}
