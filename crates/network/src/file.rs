//! A network as sections of a file.
//!
//! Linear layers are numbered 4 · layer + part (query, key and value in one; the attention's output; into the
//! feed-forward part; out of it), layer norms 2 · layer + part (behind the attention, behind the feed-forward
//! part); the embeddings' layer norm is the last one.

use nearshelf_container::{Bytes, FileWriter, Head, Kind, Values, wire};
use nearshelf_kernels::{Activation, Layer, LayerNorm, LayerParts, Linear, LinearParts};

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
/// Position embeddings, `f32 [positions][channels]`.
const POSITIONS: Kind = Kind::new(b"POSI");
/// Weights of a linear layer, `u8 [outputs / 16][inputs / 4][16][4]`.
const BLOCKS: Kind = Kind::new(b"WGHT");
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
            file.values::<i8>(WORD_CODES, 0)?,
            file.values::<f32>(WORD_SCALES, 0)?,
            file.values::<f32>(POSITIONS, 0)?,
            norm,
        )?;
        Network::new(tables, layers)
    }

    /// Appends the network's sections.
    pub fn write(&self, file: &mut FileWriter) {
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
        file.push(POSITIONS, 0, self.tables.positions.to_bytes());
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
                write_linear(file, linear_index(i, part), &linear.parts());
            }
            write_norm(file, 2 * i, attention_norm);
            write_norm(file, 2 * i + 1, output_norm);
        }
        write_norm(file, 2 * self.layers.len(), &self.tables.norm);
        // Last, as a text reads few of its rows.
        file.push(WORD_CODES, 0, self.tables.codes.to_bytes());
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
            blocks: self.values(BLOCKS, index)?,
            scales: self.values(SCALES, index)?,
            middles: self.values(MIDDLES, index)?,
            bias: self.values(BIAS, index)?,
            center: shaping(CENTER)?,
            gain: shaping(GAIN)?,
            activation,
        };
        Ok(Linear::from_parts(&format!("linear layer {index}"), parts)?)
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

    fn values<T: nearshelf_container::Number>(&self, kind: Kind, index: u32) -> Result<Values<T>> {
        let range = self.head.need(kind, index)?;
        let place = format!("section {kind} {index}");
        Ok(Values::in_place(self.bytes, range, &place)?)
    }
}
