//! Linear layers: quantized weights, packed.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use nearshelf_container::Values;

use crate::block::Block;
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

/// The highest bit of each of eight codes.
const HIGHEST_BITS: u64 = 0x8080_8080_8080_8080;

/// Offset that makes stored codes unsigned.
const OFFSET: i8 = 64;
pub(crate) const WEIGHT_OFFSET: i32 = OFFSET as i32;

/// The activation behind a linear layer.
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
    /// Factor of each input before it is quantized; empty for ones.
    pub gain: Vec<f32>,
}

/// A linear layer, ready to be multiplied with: y = x · Wᵀ + b.
#[derive(Debug, Clone)]
pub struct Linear {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// `[outputs / 16][inputs / 4]`.
    pub(crate) blocks: Values<Block>,
    pub(crate) scales: Values<f32>,
    /// scale · Σ codes of each output: what a token's middle is multiplied with.
    pub(crate) middles: Values<f32>,
    pub(crate) bias: Values<f32>,
    pub(crate) shaping: Option<Shaping>,
    pub(crate) activation: Activation,
}

/// The packed numbers of a linear layer, as a file has them.
#[derive(Debug, Clone)]
pub struct LinearParts {
    /// Channels in.
    pub inputs: usize,
    /// Channels out.
    pub outputs: usize,
    /// Weights, `[outputs / 16][inputs / 4]`.
    pub blocks: Values<Block>,
    /// A weight is its code times its output's scale, `[outputs]`.
    pub scales: Values<f32>,
    /// scale · Σ codes of each output, `[outputs]`: what a token's middle is multiplied with.
    pub middles: Values<f32>,
    /// Added to each output, `[outputs]`.
    pub bias: Values<f32>,
    /// Taken from each input before it is quantized, `[inputs]`; empty for nothing.
    pub center: Values<f32>,
    /// Factor of each input before it is quantized, `[inputs]`; empty for ones.
    pub gain: Values<f32>,
    /// The activation behind it.
    pub activation: Activation,
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

fn shape<T>(name: &str, expected: &str, found: String) -> Result<T> {
    Err(Error::Shape {
        part: name.into(),
        expected: expected.into(),
        found,
    })
}

fn check_inputs(name: &str, inputs: usize) -> Result<()> {
    // 127 · 127 · 2^14 inputs fit in 32 bits.
    if inputs == 0 || !inputs.is_multiple_of(64) || inputs > 1 << 14 {
        let expected = "inputs in a multiple of 64, at most 16,384";
        return shape(name, expected, inputs.to_string());
    }
    Ok(())
}

fn check_outputs(name: &str, outputs: usize) -> Result<()> {
    if outputs == 0 || !outputs.is_multiple_of(LANES) {
        return shape(name, "outputs in a multiple of 16", outputs.to_string());
    }
    Ok(())
}

fn check_shaping(name: &str, inputs: usize, center: &[f32], gain: &[f32]) -> Result<()> {
    for (kind, values) in [("center", center), ("gain", gain)] {
        if !values.is_empty() && values.len() != inputs {
            return shape(name, &format!("{inputs} {kind}s"), values.len().to_string());
        }
        finite(name, kind, values)?;
    }
    Ok(())
}

fn check_weights(name: &str, inputs: usize, weights: &Weights<'_>) -> Result<()> {
    let outputs = weights.scales.len();
    check_outputs(name, outputs)?;
    let (codes, biases) = (weights.codes.len(), weights.bias.len());
    if codes != inputs * outputs || biases != outputs {
        let expected = format!("{inputs} codes and a bias for each of {outputs} outputs");
        return shape(name, &expected, format!("{codes} codes, {biases} biases"));
    }
    check_shaping(name, inputs, &weights.center, &weights.gain)?;
    finite(name, "scale", &weights.scales)?;
    finite(name, "bias", &weights.bias)?;
    if !in_range(&weights.codes) {
        let (least, most) = WEIGHT_RANGE.into_inner();
        let wrong = |code: &&i8| !WEIGHT_RANGE.contains(code);
        return Err(Error::Value {
            part: name.into(),
            expected: format!("codes of {least} to {most}"),
            found: weights
                .codes
                .iter()
                .find(wrong)
                .map_or_else(String::new, i8::to_string),
        });
    }
    Ok(())
}

/// Weights as they are packed, layer by layer.
#[derive(Default)]
struct Packed {
    blocks: Vec<Block>,
    scales: Vec<f32>,
    middles: Vec<f32>,
    bias: Vec<f32>,
}

impl Packed {
    fn push(&mut self, weights: &Weights<'_>) {
        let outputs = weights.scales.len();
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
        check_inputs(name, inputs)?;
        let mut packed = Packed::default();
        let mut shaping = None;
        for (i, weights) in parts.iter().enumerate() {
            check_weights(name, inputs, weights)?;
            let shaped = Shaping::new(
                inputs,
                weights.center.clone().into(),
                weights.gain.clone().into(),
            );
            if i > 0 && shaped != shaping {
                return shape(
                    name,
                    "inputs that are shaped alike",
                    "different ones".into(),
                );
            }
            shaping = shaped;
            packed.push(weights);
        }
        Ok(Linear {
            inputs,
            outputs: packed.scales.len(),
            blocks: packed.blocks.into(),
            scales: packed.scales.into(),
            middles: packed.middles.into(),
            bias: packed.bias.into(),
            shaping,
            activation,
        })
    }

    /// A layer of packed numbers, such as those of a file.
    ///
    /// # Errors
    /// Sizes that do not fit, codes of more than 7 bits, values that are not finite.
    pub fn from_parts(name: &str, parts: LinearParts) -> Result<Self> {
        let LinearParts {
            inputs,
            outputs,
            blocks,
            scales,
            middles,
            bias,
            center,
            gain,
            activation,
        } = parts;
        check_inputs(name, inputs)?;
        check_outputs(name, outputs)?;
        if blocks.len() != inputs * outputs / 64 {
            let expected = format!("{} blocks of weights", inputs * outputs / 64);
            return shape(name, &expected, blocks.len().to_string());
        }
        for (kind, values) in [("scale", &scales), ("middle", &middles), ("bias", &bias)] {
            if values.len() != outputs {
                return shape(
                    name,
                    &format!("{outputs} {kind}s"),
                    values.len().to_string(),
                );
            }
            finite(name, kind, values)?;
        }
        check_shaping(name, inputs, &center, &gain)?;
        // Codes of 8 bits would saturate on some instruction sets and not on others. Eight are looked at together.
        let words: &[u64] = bytemuck::cast_slice(&blocks);
        let bits = words.iter().fold(0, |bits, word| bits | word);
        if bits & HIGHEST_BITS != 0 {
            return Err(Error::Value {
                part: name.into(),
                expected: "codes of 0 to 127".into(),
                found: "one of 128 or more".into(),
            });
        }
        Ok(Linear {
            inputs,
            outputs,
            blocks,
            scales,
            middles,
            bias,
            shaping: Shaping::new(inputs, center, gain),
            activation,
        })
    }

    /// The layer's packed numbers.
    pub fn parts(&self) -> LinearParts {
        let shaping = self.shaping.as_ref();
        let empty = || Vec::new().into();
        LinearParts {
            inputs: self.inputs,
            outputs: self.outputs,
            blocks: self.blocks.clone(),
            scales: self.scales.clone(),
            middles: self.middles.clone(),
            bias: self.bias.clone(),
            center: shaping.map_or_else(empty, |s| s.center.clone()),
            gain: shaping.map_or_else(empty, |s| s.gain.clone()),
            activation: self.activation,
        }
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
                centers.zip(gain.iter()).map(shaped).fold(0.0, f32::max)
            }
        };
        let largest = |values: &[f32]| values.iter().fold(0f32, |m, x| m.max(x.abs()));
        let product = largest(&self.scales) * WEIGHT_OFFSET as f32 * self.inputs as f32;
        2.0 * shaped * product + largest(&self.bias)
    }
}
