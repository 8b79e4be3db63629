//! Recognition of encoder layers.

use std::f32::consts::LOG2_E;

use nearshelf_kernels::{Activation, Layer, LayerParts, Linear};
use tract_onnx::prelude::*;

use super::attention::attention;
use super::gelu::activation;
use super::linear::{FoundLinear, linear};
use super::norm::layer_norm;
use super::view::{Found, Miss, View};

pub(crate) struct FoundLayer {
    pub layer: Layer,
    /// The input.
    pub input: OutletId,
    /// The mask that is added to the scores.
    pub mask: OutletId,
}

/// Recognises an encoder layer of BERT that ends in the layer norm `outlet`.
pub(crate) fn layer(view: View<'_>, outlet: OutletId) -> Found<FoundLayer> {
    let (sum, output_norm) = layer_norm(view, outlet)?;
    let (attended, outer) = residual(view, sum)?;
    let (before, function) = activation(view, outer.input);
    let inner = linear(view, before)?;
    if view.skip(inner.input) != attended {
        return view.miss(
            inner.input,
            "the value that is added behind the feed-forward part",
        );
    }

    let (sum, attention_norm) = layer_norm(view, attended)?;
    let (input, out) = residual(view, sum)?;
    let found = attention(view, out.input)?;
    let [query, key, value] = [&found.query, &found.key, &found.value];
    for part in [query, key, value] {
        if view.skip(part.input) != input {
            return view.miss(part.input, "the value that is added behind the attention");
        }
    }
    let name = view.node(view.skip(outlet)).name.clone();
    let mut scaled = query.weights();
    let scale = found.scale * LOG2_E;
    scaled.scales.iter_mut().for_each(|s| *s *= scale);
    scaled.bias.iter_mut().for_each(|b| *b *= scale);
    let parts = [&scaled, &key.weights(), &value.weights()];
    let qkv = Linear::joined(&query.name, query.inputs, &parts, Activation::None)?;
    let plain = |l: &FoundLinear| Linear::new(&l.name, l.inputs, &l.weights(), Activation::None);
    let inner = Linear::new(&inner.name, inner.inputs, &inner.weights(), function)?;
    let parts = LayerParts {
        qkv,
        heads: found.heads,
        out: plain(&out)?,
        attention_norm,
        inner,
        outer: plain(&outer)?,
        output_norm,
    };
    let layer = Layer::new(&name, parts)?;
    Ok(FoundLayer {
        layer,
        input,
        mask: found.mask,
    })
}

/// A sum of a linear layer and the value that the layer was given in the end.
fn residual(view: View<'_>, outlet: OutletId) -> Found<(OutletId, FoundLinear)> {
    let Some((a, b)) = view.binary(outlet, "Add") else {
        return view.miss(outlet, "a residual connection");
    };
    match (linear(view, a), linear(view, b)) {
        (Ok(found), _) => Ok((view.skip(b), found)),
        (_, Ok(found)) => Ok((view.skip(a), found)),
        (Err(Miss::Wrong(error)), _) | (_, Err(Miss::Wrong(error))) => Err(Miss::Wrong(error)),
        // What was normalized is the other operand.
        (Err(of_a), Err(of_b)) => Err(match layer_norm(view, a) {
            Ok(_) => of_b,
            Err(_) => of_a,
        }),
    }
}
