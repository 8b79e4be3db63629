//! Encoder layers.

use std::ops::Range;

use fearless_simd::{Simd, prelude::*};

use crate::backend::Backend;
use crate::error::{Error, Result};
use crate::gemm::{multiply, quantize_rows};
use crate::head::{Head, HeadScratch};
use crate::isa::{Isa, Work};
use crate::linear::{Activation, Linear};
use crate::norm::{LARGEST_INPUT, LayerNorm};
use crate::quantize::Quantized;
use crate::reduce::LANES;
use crate::room::resize;

/// Tokens that go through what follows attention at a time: their intermediate activations stay in
/// the second-level cache.
const BLOCK: usize = 64;

/// More than any trained model reaches, and little enough that a sum of squares does not overflow.
const LARGEST: f32 = 1e17;

/// The parts of an encoder layer.
#[derive(Debug, Clone)]
pub struct LayerParts {
    /// Query, key and value, their outputs one behind the other; the query's scaled by
    /// log2(e) / √(channels of a head).
    pub qkv: Linear,
    /// Attention heads, each of a multiple of 16 channels.
    pub heads: usize,
    /// Out of the attention.
    pub out: Linear,
    /// Behind the attention.
    pub attention_norm: LayerNorm,
    /// Into the feed-forward part, with its activation.
    pub inner: Linear,
    /// Out of the feed-forward part.
    pub outer: Linear,
    /// Behind the feed-forward part.
    pub output_norm: LayerNorm,
}

/// An encoder layer of BERT (Devlin et al. 2019):
/// a = LayerNorm(x + out(attention(query(x), key(x), value(x)))),
/// y = LayerNorm(a + outer(activation(inner(a)))).
#[derive(Debug, Clone)]
pub struct Layer(LayerParts);

/// Buffers that layers work in. They grow to the largest batch and are used again.
#[derive(Default)]
pub struct Scratch {
    codes: Quantized,
    qkv: Vec<f32>,
    context: Vec<f32>,
    inner: Vec<f32>,
    projected: Vec<f32>,
    head: HeadScratch,
}

impl Layer {
    /// Puts a layer together.
    ///
    /// # Errors
    /// Parts that do not fit together, heads whose width is not a multiple of 16, weights so large
    /// that activations could overflow.
    pub fn new(name: &str, parts: LayerParts) -> Result<Self> {
        let LayerParts {
            qkv,
            heads,
            out,
            attention_norm,
            inner,
            outer,
            output_norm,
        } = &parts;
        let channels = qkv.inputs;
        let fits = qkv.outputs == 3 * channels
            && (out.inputs, out.outputs) == (channels, channels)
            && inner.inputs == channels
            && (outer.inputs, outer.outputs) == (inner.outputs, channels)
            && attention_norm.channels() == channels
            && output_norm.channels() == channels;
        let plain = [qkv, out, outer].map(|l| l.activation) == [Activation::None; 3];
        let wide = *heads > 0 && channels.is_multiple_of(heads * LANES);
        if !(fits && plain && wide) {
            return Err(Error::Shape {
                part: name.into(),
                expected: "one width of residuals, and heads in a multiple of 16 channels".into(),
                found: format!(
                    "{channels} channels in {heads} heads, {} in query, key and value, {} in the \
                     attention's output, {} in the feed-forward part",
                    qkv.outputs, out.outputs, inner.outputs
                ),
            });
        }
        let layer = Layer(parts);
        layer.check_range(name)?;
        Ok(layer)
    }

    /// No activation of the layer can overflow, whatever the input, as long as the input came out of
    /// a checked layer norm. Infinities and NaN thus never arise, and no kernel has to look for them.
    fn check_range(&self, name: &str) -> Result<()> {
        let qkv = self.0.qkv.bound(LARGEST_INPUT);
        let inner = self.0.inner.bound(LARGEST_INPUT);
        let largest = [
            // Scores are sums of products of two of them.
            qkv * qkv * self.channels() as f32,
            self.0.out.bound(qkv),
            self.0.outer.bound(inner),
        ];
        for bound in largest {
            // Layer norms square what they are given.
            if bound.is_nan() || bound >= LARGEST {
                return Err(Error::Value {
                    part: name.into(),
                    expected: "weights whose results cannot overflow".into(),
                    found: format!("activations of up to {bound:e}"),
                });
            }
        }
        self.0.attention_norm.check_range(name)?;
        self.0.output_norm.check_range(name)
    }

    /// The layer's parts.
    pub fn parts(&self) -> &LayerParts {
        &self.0
    }

    /// Channels of a token.
    pub fn channels(&self) -> usize {
        self.0.qkv.inputs
    }

    /// Attention heads.
    pub fn heads(&self) -> usize {
        self.0.heads
    }

    /// Channels between the two feed-forward products.
    pub fn intermediate(&self) -> usize {
        self.0.inner.outputs
    }

    /// Bytes of the packed weights.
    pub fn bytes(&self) -> usize {
        [&self.0.qkv, &self.0.out, &self.0.inner, &self.0.outer]
            .iter()
            .map(|l| l.bytes())
            .sum()
    }

    /// Runs the layer on packed texts, in place: `hidden` is `[tokens][channels]`, `texts` are the
    /// ranges of its tokens that attend to each other. Tokens outside of them attend to nothing and
    /// end as whatever the layer makes of an attention of zeros.
    ///
    /// # Panics
    /// If a range ends behind the tokens: the caller makes both.
    pub fn run(&self, isa: Isa, hidden: &mut [f32], texts: &[Range<usize>], scratch: &mut Scratch) {
        isa.run(Run {
            layer: &self.0,
            hidden,
            texts,
            scratch,
        });
    }
}

struct Run<'a> {
    layer: &'a LayerParts,
    hidden: &'a mut [f32],
    texts: &'a [Range<usize>],
    scratch: &'a mut Scratch,
}

impl Work for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn run<B: Backend>(self, backend: B) {
        let Run {
            layer,
            hidden,
            texts,
            scratch,
        } = self;
        let channels = layer.qkv.inputs;
        let tokens = hidden.len() / channels;

        quantize_rows(backend, &layer.qkv, hidden, &mut scratch.codes);
        let qkv = sized(&mut scratch.qkv, tokens * 3 * channels);
        multiply(backend, &layer.qkv, &scratch.codes, qkv);

        let context = sized(&mut scratch.context, tokens * channels);
        let covered: usize = texts.iter().map(|text| text.len()).sum();
        if covered < tokens {
            context.fill(0.0);
        }
        let width = channels / layer.heads;
        for text in texts {
            let context = &mut context[text.start * channels..text.end * channels];
            for head in 0..layer.heads {
                let head = Head {
                    qkv: &qkv[text.start * 3 * channels..text.end * 3 * channels],
                    channels,
                    first: head * width,
                    width,
                    tokens: text.len(),
                };
                backend.attend(&head, &mut scratch.head, context);
            }
        }

        for (hidden, context) in hidden
            .chunks_mut(BLOCK * channels)
            .zip(context.chunks(BLOCK * channels))
        {
            let tokens = hidden.len() / channels;
            quantize_rows(backend, &layer.out, context, &mut scratch.codes);
            let projected = sized(&mut scratch.projected, tokens * channels);
            multiply(backend, &layer.out, &scratch.codes, projected);
            add_and_norm(backend, hidden, projected, &layer.attention_norm);

            quantize_rows(backend, &layer.inner, hidden, &mut scratch.codes);
            let inner = sized(&mut scratch.inner, tokens * layer.inner.outputs);
            multiply(backend, &layer.inner, &scratch.codes, inner);

            quantize_rows(backend, &layer.outer, inner, &mut scratch.codes);
            multiply(backend, &layer.outer, &scratch.codes, projected);
            add_and_norm(backend, hidden, projected, &layer.output_norm);
        }
    }
}

fn sized(buffer: &mut Vec<f32>, length: usize) -> &mut [f32] {
    if buffer.len() < length {
        resize(buffer, length);
    }
    &mut buffer[..length]
}

/// hidden = LayerNorm(hidden + added), token by token.
#[inline(always)]
fn add_and_norm<B: Backend>(backend: B, hidden: &mut [f32], added: &[f32], norm: &LayerNorm) {
    let channels = norm.channels();
    for (hidden, added) in hidden
        .chunks_exact_mut(channels)
        .zip(added.chunks_exact(channels))
    {
        add(backend.simd(), hidden, added);
        norm.apply(backend.simd(), hidden);
    }
}

#[inline(always)]
fn add<S: Simd>(simd: S, to: &mut [f32], from: &[f32]) {
    let lanes = S::f32s::LEN;
    for (to, from) in to.chunks_exact_mut(lanes).zip(from.chunks_exact(lanes)) {
        (S::f32s::from_slice(simd, to) + S::f32s::from_slice(simd, from)).store_slice(to);
    }
}

impl Linear {
    /// y = activation(x · Wᵀ + b): `x` is `[tokens][inputs]`, `y` is `[tokens][outputs]`.
    pub fn run(&self, isa: Isa, x: &[f32], y: &mut [f32], scratch: &mut Scratch) {
        isa.run(Multiply {
            linear: self,
            x,
            y,
            scratch,
        });
    }
}

struct Multiply<'a> {
    linear: &'a Linear,
    x: &'a [f32],
    y: &'a mut [f32],
    scratch: &'a mut Scratch,
}

impl Work for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<B: Backend>(self, backend: B) {
        quantize_rows(backend, self.linear, self.x, &mut self.scratch.codes);
        multiply(backend, self.linear, &self.scratch.codes, self.y);
    }
}
