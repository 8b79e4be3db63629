//! The same network put together from candle's differentiable operations: for GPUs, and to check the
//! CPU's own operations against. Texts are padded to the longest.
//!
//! candle's `LayerNorm`, `softmax_last_dim` and `rms_norm` have no backward pass; these forms have.

use candle_core::{D, DType, Device, Result, Tensor, Var};
use candle_nn::ops::softmax;
use nearshelf_encoder::Pooling;

use crate::bert::packed::Packed;
use crate::bert::params::{embedding_names, layer_names};
use crate::bert::shape::Sizes;

/// Added to the scores of padding.
const MASKED: f32 = -1e9;

/// The parameters of a BERT.
#[derive(Clone, Copy)]
pub(crate) struct Network<'a> {
    pub sizes: Sizes,
    pub device: &'a Device,
    pub embeddings: &'a Var,
    pub layers: &'a [Var],
}

/// Texts padded to the longest.
struct Padded {
    texts: usize,
    longest: usize,
    /// Token ids, `[texts · longest]`.
    ids: Tensor,
    /// Added to scores, `[texts, 1, 1, longest]`.
    mask: Tensor,
    /// Places of the tokens in `ids`, `[tokens]`.
    present: Tensor,
}

impl Padded {
    fn new(texts: &Packed, device: &Device) -> Result<Self> {
        let longest = texts.lengths.iter().copied().max().unwrap_or(1);
        let count = texts.lengths.len();
        let mut ids = vec![0u32; count * longest];
        let mut mask = vec![MASKED; count * longest];
        let mut present = Vec::with_capacity(texts.ids.len());
        let mut tokens = texts.ids.iter();
        for (text, &length) in texts.lengths.iter().enumerate() {
            for place in text * longest..text * longest + length {
                ids[place] = tokens.next().copied().unwrap_or_default();
                mask[place] = 0.0;
                present.push(place as u32);
            }
        }
        Ok(Padded {
            texts: count,
            longest,
            ids: Tensor::from_vec(ids, count * longest, device)?,
            mask: Tensor::from_vec(mask, (count, 1, 1, longest), device)?,
            present: Tensor::from_vec(present, texts.ids.len(), device)?,
        })
    }
}

/// Token vectors `[tokens, hidden]`.
pub(crate) fn forward(network: Network<'_>, texts: &Packed) -> Result<Tensor> {
    let sizes = network.sizes;
    let padded = Padded::new(texts, network.device)?;
    let mut x = embed(network, &padded)?;
    for (number, parameters) in network.layers.iter().enumerate() {
        let names = layer_names(sizes, number);
        let p = cut(parameters.as_tensor(), names.into_iter().map(|n| n.shape))?;
        x = layer(sizes, &p, &x, &padded)?;
    }
    x.index_select(&padded.present, 0)
}

/// `[texts · longest, hidden]`.
fn embed(network: Network<'_>, padded: &Padded) -> Result<Tensor> {
    let sizes = network.sizes;
    let tables = cut(
        network.embeddings.as_tensor(),
        embedding_names(sizes).into_iter().map(|n| n.shape),
    )?;
    let words = tables[0].index_select(&padded.ids, 0)?;
    let places = tables[1].narrow(0, 0, padded.longest)?;
    let x = words
        .reshape((padded.texts, padded.longest, sizes.hidden))?
        .broadcast_add(&places)?
        .broadcast_add(&tables[2].narrow(0, 0, 1)?)?
        .reshape((padded.texts * padded.longest, sizes.hidden))?;
    norm(&x, &tables[3], &tables[4], sizes.eps)
}

/// A layer with the parameters `p`, in the order of [`layer_names`].
fn layer(sizes: Sizes, p: &[Tensor], x: &Tensor, padded: &Padded) -> Result<Tensor> {
    let width = sizes.hidden / sizes.heads;
    let heads = |weight: &Tensor, bias: &Tensor| -> Result<Tensor> {
        linear(x, weight, bias)?
            .reshape((padded.texts, padded.longest, sizes.heads, width))?
            .transpose(1, 2)?
            .contiguous()
    };
    let (query, key, value) = (
        heads(&p[0], &p[3])?,
        heads(&p[1], &p[4])?,
        heads(&p[2], &p[5])?,
    );
    let scores = (query.matmul(&key.t()?.contiguous()?)? / (width as f64).sqrt())?;
    let probabilities = softmax(&scores.broadcast_add(&padded.mask)?, D::Minus1)?;
    let context = probabilities
        .matmul(&value)?
        .transpose(1, 2)?
        .contiguous()?
        .reshape((padded.texts * padded.longest, sizes.hidden))?;
    let attended = (linear(&context, &p[6], &p[7])? + x)?;
    let middle = norm(&attended, &p[8], &p[9], sizes.eps)?;
    let inner = linear(&middle, &p[10], &p[11])?.gelu_erf()?;
    let out = (linear(&inner, &p[12], &p[13])? + &middle)?;
    norm(&out, &p[14], &p[15], sizes.eps)
}

/// One vector a text, `[texts, hidden]`: a product with a matrix of shares.
pub(crate) fn pool(hidden: &Tensor, texts: &Packed, pooling: Pooling) -> Result<Tensor> {
    let (count, tokens) = (texts.lengths.len(), texts.ids.len());
    let mut shares = vec![0f32; count * tokens];
    let mut start = 0;
    for (text, &length) in texts.lengths.iter().enumerate() {
        let row = &mut shares[text * tokens + start..][..length];
        match pooling {
            Pooling::Mean => row.fill(1.0 / length as f32),
            Pooling::Cls => row[0] = 1.0,
        }
        start += length;
    }
    Tensor::from_vec(shares, (count, tokens), hidden.device())?.matmul(hidden)
}

/// A flat parameter's tensors.
fn cut(flat: &Tensor, shapes: impl Iterator<Item = Vec<usize>>) -> Result<Vec<Tensor>> {
    let mut start = 0;
    shapes
        .map(|shape| {
            let count = shape.iter().product();
            let part = flat.narrow(0, start, count)?.reshape(shape)?;
            start += count;
            Ok(part)
        })
        .collect()
}

fn linear(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.matmul(&weight.t()?)?.broadcast_add(bias)
}

fn norm(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f32) -> Result<Tensor> {
    let x = x.to_dtype(DType::F32)?;
    let centered = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centered.sqr()?.mean_keepdim(D::Minus1)?;
    let normal = centered.broadcast_div(&(variance + f64::from(eps))?.sqrt()?)?;
    normal.broadcast_mul(weight)?.broadcast_add(bias)
}
