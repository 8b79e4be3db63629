//! Multi-head attention: softmax(Q · Kᵀ · scale + mask) · V.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::nn::Softmax;

use super::linear::{FoundLinear, linear};
use super::view::{Found, Miss, View, contracted, origin};

pub(crate) struct FoundAttention {
    pub query: FoundLinear,
    pub key: FoundLinear,
    pub value: FoundLinear,
    pub heads: usize,
    /// Factor of scores, 1 / √(channels of a head).
    pub scale: f32,
    /// The mask that is added to scores.
    pub mask: OutletId,
}

/// Recognises the attention whose heads are joined in `outlet`, `[batch, tokens, channels]`.
pub(crate) fn attention(view: View<'_>, outlet: OutletId) -> Found<FoundAttention> {
    let channels = view.width(outlet);
    let context = view.unshaped(outlet);
    let Some((node, op)) = view.einsum(context) else {
        return view.miss(context, "scores times values");
    };
    let &[probabilities, values] = &node.inputs[..] else {
        return view.miss(context, "a product of two");
    };
    let shape = view.dims(context);
    let (Some(channels), &[Some(1), Some(heads), None, Some(width)]) = (channels, &shape[..])
    else {
        return view.miss(context, "[1, heads, tokens, channels of a head]");
    };
    // Which axis is which is told by its size.
    if heads == width || heads * width != channels {
        return view.miss(
            context,
            "as many channels as its heads have, and not as many heads",
        );
    }
    joins(view, outlet, heads, width)?;

    if contracted(op).map(|(a, _)| a) != Some(3) || origin(op, 2, 0) != Some(2) {
        return view.miss(context, "scores times values");
    }
    let by = contracted(op).map(|(_, b)| b);
    let value = head(view, values, heads, width, by)?;

    let softmax = view.skip(probabilities);
    let node = view.node(softmax);
    let over_last = node.op_as::<Softmax>().is_some_and(|op| op.axes[..] == [3]);
    if !over_last {
        return view.miss(softmax, "a softmax over the last axis");
    }
    let masked = view.skip(node.inputs[0]);
    let Some((a, b)) = view.binary(masked, "Add") else {
        return view.miss(masked, "scores and a mask");
    };
    let ((scores, scale), mask) = match (product(view, a), product(view, b)) {
        (Some(scores), None) => (scores, b),
        (None, Some(scores)) => (scores, a),
        _ => return view.miss(masked, "scores and a mask"),
    };
    let (query, key) = sides(view, scores, width)?;
    let (query, scale) = unscaled(view, query, scale);
    let (key, scale) = unscaled(view, key, scale);
    Ok(FoundAttention {
        query: head(view, query, heads, width, None)?,
        key: head(view, key, heads, width, None)?,
        value,
        heads,
        scale,
        mask,
    })
}

/// Queries and keys of the scores.
fn sides(view: View<'_>, scores: OutletId, width: usize) -> Found<(OutletId, OutletId)> {
    let Some((node, op)) = view.einsum(scores) else {
        return view.miss(scores, "queries times keys");
    };
    let (left, right) = (node.inputs[0], node.inputs[1]);
    // The operand whose tokens are the rows of the scores is the query.
    let found = match (origin(op, 2, 0), origin(op, 2, 1)) {
        (Some(_), None) => (left, right),
        (None, Some(_)) => (right, left),
        _ => return view.miss(scores, "queries times keys"),
    };
    let Some((in_left, in_right)) = contracted(op) else {
        return view.miss(scores, "a product over the channels of a head");
    };
    let sides = [(left, in_left), (right, in_right)];
    if sides
        .iter()
        .any(|&(side, axis)| view.dims(side).get(axis) != Some(&Some(width)))
    {
        return view.miss(scores, "a product over the channels of a head");
    }
    Ok(found)
}

/// A side of the scores without its factors, and `scale` times all of them.
fn unscaled(view: View<'_>, mut side: OutletId, mut scale: f32) -> (OutletId, f32) {
    loop {
        side = view.skip(side);
        if let Some((inner, by)) = view.scaled(side) {
            scale *= by;
            side = inner;
        } else if view.is_axes(side) && view.scaled(view.skip(view.node(side).inputs[0])).is_some()
        {
            side = view.node(side).inputs[0];
        } else {
            return (side, scale);
        }
    }
}

/// The product behind a score and the number it is scaled by.
fn product(view: View<'_>, outlet: OutletId) -> Option<(OutletId, f32)> {
    let outlet = view.skip(outlet);
    if view.einsum(outlet).is_some() {
        return Some((outlet, 1.0));
    }
    let (inner, by) = view.scaled(outlet)?;
    let (inner, more) = product(view, inner)?;
    Some((inner, by * more))
}

/// The linear layer whose result is cut into heads in `outlet`. `tokens` is the axis that must be the
/// tokens'.
fn head(
    view: View<'_>,
    outlet: OutletId,
    heads: usize,
    width: usize,
    tokens: Option<usize>,
) -> Found<FoundLinear> {
    let shape = view.dims(outlet);
    let known = [
        [Some(1), Some(heads), None, Some(width)],
        [Some(1), Some(heads), Some(width), None],
    ];
    let fits = known.iter().any(|known| shape == known)
        && tokens.is_none_or(|axis| shape.get(axis) == Some(&None));
    if !fits {
        return view.miss(outlet, "[1, heads, tokens, channels of a head]");
    }
    // Cut into [1, tokens, heads, width], then only moved.
    let mut inner = view.skip(outlet);
    while view.is_axes(inner) {
        let before = view.skip(view.node(inner).inputs[0]);
        let dims = view.dims(before);
        if dims.len() == 3 {
            let cut = view.dims(inner) == [Some(1), None, Some(heads), Some(width)];
            if !cut || dims != [Some(1), None, Some(heads * width)] {
                return view.miss(inner, "[1, tokens, heads, channels of a head]");
            }
            return linear(view, before);
        }
        inner = before;
    }
    view.miss(inner, "a linear layer cut into heads")
}

/// Checks that `outlet` has the heads of a token one behind the other.
fn joins(view: View<'_>, outlet: OutletId, heads: usize, width: usize) -> Result<(), Miss> {
    let mut inner = view.skip(outlet);
    while view.is_axes(inner) {
        let before = view.skip(view.node(inner).inputs[0]);
        if view.dims(inner).len() == 3 {
            if view.dims(before) == [Some(1), None, Some(heads), Some(width)] {
                return Ok(());
            }
            return view.miss(
                inner,
                "heads joined in [1, tokens, heads, channels of a head]",
            );
        }
        inner = before;
    }
    view.miss(inner, "heads joined")
}
