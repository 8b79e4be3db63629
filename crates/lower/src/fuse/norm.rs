//! Recognition of layer norms.

use nearshelf_kernels::LayerNorm;
use tract_onnx::prelude::*;

use super::view::{Found, View};

/// LayerNorm, as exporters and tract spell it out:
/// d = x - mean(x), y = d / √(mean(d²) + epsilon) · weight + bias.
///
/// Gives what is normalized, and how.
pub(crate) fn layer_norm(view: View<'_>, outlet: OutletId) -> Found<(OutletId, LayerNorm)> {
    match parts(view, outlet) {
        None => view.miss(outlet, "a layer norm"),
        Some((x, weight, bias, epsilon)) => {
            let name = &view.node(view.skip(outlet)).name;
            Ok((x, LayerNorm::new(name, weight, bias, epsilon)?))
        }
    }
}

fn parts(view: View<'_>, outlet: OutletId) -> Option<(OutletId, Vec<f32>, Vec<f32>, f32)> {
    let (product, bias) = view.with_constant(outlet, "Add")?;
    let mut weight = None;
    let mut dynamic = Vec::new();
    for factor in view.factors(product) {
        match view.floats(factor) {
            Some(values) if weight.is_none() => weight = Some(values),
            Some(_) => return None,
            None => dynamic.push(factor),
        }
    }
    let (centred, root) = match dynamic[..] {
        [quotient] => {
            let (centred, root) = view.binary(quotient, "Div")?;
            (centred, view.unary(root, "Sqrt")?)
        }
        [a, b] => match (view.unary(a, "Rsqrt"), view.unary(b, "Rsqrt")) {
            (Some(root), None) => (b, root),
            (None, Some(root)) => (a, root),
            _ => return None,
        },
        _ => return None,
    };
    let (variance, epsilon) = view.with_constant(root, "Add")?;
    let &[epsilon] = &epsilon[..] else {
        return None;
    };
    let centred = view.skip(centred);
    let squares = mean(view, variance)?;
    let squared = view
        .unary(squares, "Square")
        .or_else(|| match view.with_constant(squares, "Pow")? {
            (x, power) if power == [2.0] => Some(x),
            _ => None,
        })
        .or_else(|| match view.binary(squares, "Mul")? {
            (a, b) if view.skip(a) == view.skip(b) => Some(a),
            _ => None,
        })?;
    if view.skip(squared) != centred {
        return None;
    }
    let (x, middle) = view.binary(centred, "Sub")?;
    let x = view.skip(x);
    if view.skip(mean(view, middle)?) != x {
        return None;
    }
    let width = view.width(x)?;
    let weight = weight?;
    (weight.len() == width && bias.len() == width).then_some((x, weight, bias, epsilon))
}

/// The value that is averaged over the last axis.
fn mean(view: View<'_>, outlet: OutletId) -> Option<OutletId> {
    let (sum, factor) = view.scaled(outlet)?;
    let x = view.unary(sum, "Reduce<Sum>")?;
    let node = view.node(view.skip(sum));
    let reduce = node.op_as::<tract_onnx::tract_core::ops::nn::Reduce>()?;
    let last = view.fact(x).rank().checked_sub(1)?;
    let width = view.width(x)? as f32;
    let averages = (factor * width - 1.0).abs() < 1e-5;
    (reduce.axes[..] == [last] && averages).then_some(x)
}
