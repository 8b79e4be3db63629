//! A network as sections of a file.
//!
//! Linear layers are numbered 4 · layer + part (query, key and value in one; the attention's output; into the
//! feed-forward part; out of it), layer norms 2 · layer + part (behind the attention, behind the feed-forward
//! part); the embeddings' layer norm is the last one.

use half::f16;
use nearshelf_container::{Bytes, FileWriter, Head, Kind, Number, Values, wire};
use nearshelf_kernels::{Activation, Block, Layer, LayerNorm, LayerParts, Linear, LinearParts};

use crate::coarse;
use crate::error::{Error, Result};
use crate::network::Network;
use crate::record::{LayerRecord, NetworkRecord};
use crate::tables::Tables;

/// The record.
const RECORD: Kind = Kind::new(b"NETW");
/// Codes of the word embeddings, `i8 [vocabulary][channels]`.
const WORD_CODES: Kind = Kind::new(b"WRDC");
/// Scales of the word embeddings, `f32 [vocabulary]`.
const WORD_SCALES: Kind = Kind::new(b"WRDS");
/// Instead of the codes: 4 bits of each, `u8 [vocabulary][channels / 2]`, and the factors of 32, `u8 [vocabulary][channels / 32]`.
const COARSE_WORDS: Kind = Kind::new(b"WRD4");
const WORD_FACTORS: Kind = Kind::new(b"WRDM");
/// Position embeddings, `f32 [positions][channels]`.
const POSITIONS: Kind = Kind::new(b"POSI");
/// Instead of them: in 16 bits.
const HALF_POSITIONS: Kind = Kind::new(b"POSH");
/// Weights of a linear layer, `u8 [outputs / 16][inputs / 4][16][4]`.
const BLOCKS: Kind = Kind::new(b"WGHT");
/// Instead of them: 4 bits of each, `u8 [outputs / 16][inputs / 32][16][16]`, and the factors of 32, `u8 [outputs / 16][inputs / 32][16]`.
const COARSE_BLOCKS: Kind = Kind::new(b"WGT4");
const BLOCK_FACTORS: Kind = Kind::new(b"WGTM");
/// Scale of each output, `f32 [outputs]`.
const SCALES: Kind = Kind::new(b"SCAL");
/// scale · Σ codes of each output, `f32 [outputs]`.
const MIDDLES: Kind = Kind::new(b"MIDD");
/// Bias of each output, `f32 [outputs]`.
const BIAS: Kind = Kind::new(b"BIAS");
/// Center of each input, `f32 [inputs]`; absent for zeros.
const CENTER: Kind = Kind::new(b"CENT");
/// Gain of each input, `f32 [inputs]`; absent for ones.
const GAIN: Kind = Kind::new(b"GAIN");
/// Weight and bias of a layer norm, `f32 [channels]` each.
const NORM_WEIGHT: Kind = Kind::new(b"NRMW");
const NORM_BIAS: Kind = Kind::new(b"NRMB");

/// More layers than any sentence encoder has: a bound for what a forged record can ask for.
const MAX_LAYERS: usize = 128;

/// Linear layers of an encoder layer.
#[derive(Clone, Copy)]
enum Part {
    Qkv,
    Out,
    Inner,
    Outer,
}

fn linear_index(layer: usize, part: Part) -> u32 {
    (4 * layer + part as usize) as u32
}

impl Network {
    /// Reads the network's sections, whose numbers stay where they are in `bytes`.
    ///
    /// # Errors
    /// A section that is missing or of another size, shapes that do not fit together, codes of more than seven
    /// bits, numbers that are not finite.
    pub fn open(bytes: &Bytes, head: &Head) -> Result<Self> {
        let file = File { bytes, head };
        let record = file.record()?;
        let channels = record.channels as usize;
        let mut layers = Vec::with_capacity(record.layers.len());
        for (i, layer) in record.layers.iter().enumerate() {
            layers.push(file.layer(i, channels, &layer.0)?);
        }
        let norm = file.norm(2 * layers.len(), channels, record.epsilon)?;
        let tables = Tables::new(
            file.words()?,
            file.values::<f32>(WORD_SCALES, 0)?,
            file.positions()?,
            norm,
        )?;
        Network::new(tables, layers)
    }

    /// Appends the network's sections, its codes as they are or in 4 bits.
    pub fn write(&self, file: &mut FileWriter, bits: Bits) {
        let record = NetworkRecord {
            channels: self.channels() as u32,
            epsilon: self.tables.norm.parts().2,
            layers: self
                .layers
                .iter()
                .map(|l| wire::Record(record(l)))
                .collect(),
        };
        file.push(RECORD, 0, wire::encode(&record));
        file.push(WORD_SCALES, 0, self.tables.scales.to_bytes());
        write_positions(file, &self.tables.positions, bits);
        for (i, layer) in self.layers.iter().enumerate() {
            let LayerParts {
                qkv,
                out,
                attention_norm,
                inner,
                outer,
                output_norm,
                ..
            } = layer.parts();
            let linears = [
                (Part::Qkv, qkv),
                (Part::Out, out),
                (Part::Inner, inner),
                (Part::Outer, outer),
            ];
            for (part, linear) in linears {
                let index = linear_index(i, part);
                match bits {
                    Bits::Eight => write_linear(file, index, &linear.parts()),
                    Bits::Four => write_coarse(file, index, &linear.parts()),
                }
            }
            write_norm(file, 2 * i, attention_norm);
            write_norm(file, 2 * i + 1, output_norm);
        }
        write_norm(file, 2 * self.layers.len(), &self.tables.norm);
        // Last, as a text reads few of its rows.
        match bits {
            Bits::Eight => file.push(WORD_CODES, 0, self.tables.codes.to_bytes()),
            Bits::Four => {
                let words = coarse::of_words(&self.tables.codes);
                file.push(WORD_FACTORS, 0, words.factors);
                file.push(COARSE_WORDS, 0, words.codes);
            }
        }
    }

    /// Whether the codes of a network have 4 bits in its file: then nothing of it is read in place.
    pub fn is_coarse(head: &Head) -> bool {
        head.find(COARSE_WORDS, 0).is_some()
    }

    /// Whether a section of a file is the network's.
    pub fn owns(kind: Kind) -> bool {
        SECTIONS.contains(&kind)
    }
}

/// The bits of a network's codes in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bits {
    /// Codes as kernels read them, in place.
    #[default]
    Eight,
    /// Half of the bytes: 4 bits, and a factor for each 32 codes. Kernels read their products.
    Four,
}

/// All kinds of sections that a network has.
const SECTIONS: [Kind; 17] = [
    RECORD,
    WORD_CODES,
    WORD_SCALES,
    COARSE_WORDS,
    WORD_FACTORS,
    POSITIONS,
    HALF_POSITIONS,
    BLOCKS,
    COARSE_BLOCKS,
    BLOCK_FACTORS,
    SCALES,
    MIDDLES,
    BIAS,
    CENTER,
    GAIN,
    NORM_WEIGHT,
    NORM_BIAS,
];

fn write_positions(file: &mut FileWriter, positions: &[f32], bits: Bits) {
    match bits {
        Bits::Eight => {
            let numbers = positions.iter().flat_map(|x| x.to_le_bytes());
            file.push(POSITIONS, 0, numbers.collect());
        }
        Bits::Four => {
            let halves = positions.iter().map(|&x| f16::from_f32(x).to_le_bytes());
            file.push(HALF_POSITIONS, 0, halves.flatten().collect());
        }
    }
}

fn record(layer: &Layer) -> LayerRecord {
    let parts = layer.parts();
    LayerRecord {
        heads: parts.heads as u32,
        intermediate: parts.inner.outputs() as u32,
        activation: parts.inner.parts().activation.into(),
        attention_epsilon: parts.attention_norm.parts().2,
        output_epsilon: parts.output_norm.parts().2,
    }
}

fn write_linear(file: &mut FileWriter, index: u32, parts: &LinearParts) {
    file.push(BLOCKS, index, parts.blocks.to_bytes());
    file.push(SCALES, index, parts.scales.to_bytes());
    file.push(MIDDLES, index, parts.middles.to_bytes());
    file.push(BIAS, index, parts.bias.to_bytes());
    write_shaping(file, index, parts);
}

/// A linear layer whose codes are coarse. What follows from the codes is that of the new ones.
fn write_coarse(file: &mut FileWriter, index: u32, parts: &LinearParts) {
    let mut sums = vec![0i32; parts.outputs];
    let mut moved = vec![0f64; parts.outputs];
    let coarse = coarse::of_blocks(
        &parts.blocks,
        parts.inputs,
        |output, input, before, code| {
            sums[output] += i32::from(code);
            // The bias holds what the centers of the inputs amount to.
            if let Some(&center) = parts.center.get(input) {
                let gain = parts.gain.get(input).copied().unwrap_or(1.0);
                let difference = f64::from(code) - f64::from(before);
                moved[output] += difference * f64::from(center) * f64::from(gain);
            }
        },
    );
    let outputs = parts
        .scales
        .iter()
        .zip(parts.bias.iter())
        .zip(sums.iter().zip(&moved));
    let (middles, bias): (Vec<f32>, Vec<f32>) = outputs
        .map(|((&scale, &bias), (&sum, &moved))| {
            (
                sum as f32 * scale,
                (f64::from(bias) + f64::from(scale) * moved) as f32,
            )
        })
        .unzip();
    let bytes = |numbers: Vec<f32>| numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
    file.push(COARSE_BLOCKS, index, coarse.codes);
    file.push(BLOCK_FACTORS, index, coarse.factors);
    file.push(SCALES, index, parts.scales.to_bytes());
    file.push(MIDDLES, index, bytes(middles));
    file.push(BIAS, index, bytes(bias));
    write_shaping(file, index, parts);
}

fn write_shaping(file: &mut FileWriter, index: u32, parts: &LinearParts) {
    for (kind, values) in [(CENTER, &parts.center), (GAIN, &parts.gain)] {
        if !values.is_empty() {
            file.push(kind, index, values.to_bytes());
        }
    }
}

fn write_norm(file: &mut FileWriter, index: usize, norm: &LayerNorm) {
    let (weight, bias, _) = norm.parts();
    file.push(NORM_WEIGHT, index as u32, weight.to_bytes());
    file.push(NORM_BIAS, index as u32, bias.to_bytes());
}

/// The sections that a network is read from.
struct File<'a> {
    bytes: &'a Bytes,
    head: &'a Head,
}

impl File<'_> {
    fn record(&self) -> Result<NetworkRecord> {
        let range = self.head.need(RECORD, 0)?;
        let bytes = self.bytes.get(range).unwrap_or_default();
        let record: NetworkRecord = wire::decode("section NETW", bytes)?;
        if record.layers.len() > MAX_LAYERS {
            return Err(Error::Shape {
                part: "section NETW".into(),
                expected: format!("at most {MAX_LAYERS} layers"),
                found: record.layers.len().to_string(),
            });
        }
        Ok(record)
    }

    fn layer(&self, number: usize, channels: usize, record: &LayerRecord) -> Result<Layer> {
        let name = format!("layer {number}");
        let intermediate = record.intermediate as usize;
        let none = Activation::None;
        let linear = |part, inputs, outputs, activation| {
            self.linear(linear_index(number, part), inputs, outputs, activation)
        };
        let qkv_outputs = channels.checked_mul(3).unwrap_or_default();
        let parts = LayerParts {
            qkv: linear(Part::Qkv, channels, qkv_outputs, none)?,
            heads: record.heads as usize,
            out: linear(Part::Out, channels, channels, none)?,
            attention_norm: self.norm(2 * number, channels, record.attention_epsilon)?,
            inner: linear(
                Part::Inner,
                channels,
                intermediate,
                record.activation.into(),
            )?,
            outer: linear(Part::Outer, intermediate, channels, none)?,
            output_norm: self.norm(2 * number + 1, channels, record.output_epsilon)?,
        };
        Ok(Layer::new(&name, parts)?)
    }

    fn linear(
        &self,
        index: u32,
        inputs: usize,
        outputs: usize,
        activation: Activation,
    ) -> Result<Linear> {
        let shaping = |kind| match self.head.find(kind, index) {
            Some(_) => self.values::<f32>(kind, index),
            None => Ok(Vec::new().into()),
        };
        let parts = LinearParts {
            inputs,
            outputs,
            blocks: self.blocks(index)?,
            scales: self.values(SCALES, index)?,
            middles: self.values(MIDDLES, index)?,
            bias: self.values(BIAS, index)?,
            center: shaping(CENTER)?,
            gain: shaping(GAIN)?,
            activation,
        };
        Ok(Linear::from_parts(&format!("linear layer {index}"), parts)?)
    }

    fn blocks(&self, index: u32) -> Result<Values<Block>> {
        if self.head.find(COARSE_BLOCKS, index).is_none() {
            return self.values(BLOCKS, index);
        }
        let codes = self.in_place::<u8>(COARSE_BLOCKS, index)?;
        let factors = self.in_place::<u8>(BLOCK_FACTORS, index)?;
        let place = format!("section {COARSE_BLOCKS} {index}");
        Ok(coarse::blocks(&codes, &factors, &place)?.into())
    }

    fn words(&self) -> Result<Values<i8>> {
        if self.head.find(COARSE_WORDS, 0).is_none() {
            return self.values(WORD_CODES, 0);
        }
        let codes = self.in_place::<u8>(COARSE_WORDS, 0)?;
        let factors = self.in_place::<u8>(WORD_FACTORS, 0)?;
        Ok(coarse::words(&codes, &factors, "section WRD4 0")?.into())
    }

    fn positions(&self) -> Result<Values<f32>> {
        if self.head.find(HALF_POSITIONS, 0).is_none() {
            return self.values(POSITIONS, 0);
        }
        let halves = self.in_place::<u16>(HALF_POSITIONS, 0)?;
        let numbers = halves.iter().map(|&bits| f16::from_bits(bits).to_f32());
        Ok(numbers.collect::<Vec<f32>>().into())
    }

    fn norm(&self, index: usize, channels: usize, epsilon: f32) -> Result<LayerNorm> {
        let name = format!("layer norm {index}");
        let weight = self.values::<f32>(NORM_WEIGHT, index as u32)?;
        let bias = self.values::<f32>(NORM_BIAS, index as u32)?;
        if weight.len() != channels {
            return Err(Error::Shape {
                part: name,
                expected: format!("{channels} channels"),
                found: weight.len().to_string(),
            });
        }
        Ok(LayerNorm::new(&name, weight, bias, epsilon)?)
    }

    /// The numbers of a section, as the network keeps them.
    fn values<T: Number>(&self, kind: Kind, index: u32) -> Result<Values<T>> {
        let values = self.in_place(kind, index)?;
        // Little is read in place beside coarse codes: without it, the file can go.
        Ok(match Network::is_coarse(self.head) {
            true => values.to_vec().into(),
            false => values,
        })
    }

    fn in_place<T: Number>(&self, kind: Kind, index: u32) -> Result<Values<T>> {
        let range = self.head.need(kind, index)?;
        let place = format!("section {kind} {index}");
        Ok(Values::in_place(self.bytes, range, &place)?)
    }
}
