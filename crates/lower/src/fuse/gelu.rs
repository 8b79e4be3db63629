//! Recognition of activations.

use std::f32::consts::FRAC_1_SQRT_2;

use nearshelf_kernels::Activation;
use tract_onnx::prelude::*;

use super::view::View;

/// The activation behind a linear layer, and the value that it is applied to.
pub(crate) fn activation(view: View<'_>, outlet: OutletId) -> (OutletId, Activation) {
    if let Some(x) = gelu(view, outlet) {
        return (x, Activation::Gelu);
    }
    match view.with_constant(outlet, "Max") {
        Some((x, least)) if least == [0.0] => (x, Activation::Relu),
        _ => (outlet, Activation::None),
    }
}

/// x · (1 + erf(x / √2)) · ½, its factors in any order.
fn gelu(view: View<'_>, outlet: OutletId) -> Option<OutletId> {
    let (mut half, mut x, mut inner) = (1.0, None, None);
    for factor in view.factors(outlet) {
        if let Some(value) = view.scalar(factor) {
            half *= value;
        } else if let Some(of) = erf_and_one(view, factor)
            && inner.is_none()
        {
            inner = Some(of);
        } else if x.is_none() {
            x = Some(factor);
        } else {
            return None;
        }
    }
    // Some exporters divide what is behind the erf by two as a whole.
    (half == 0.5 && view.skip(inner?) == x?).then_some(x?)
}

fn erf_and_one(view: View<'_>, outlet: OutletId) -> Option<OutletId> {
    let (erf, one) = view.with_constant(outlet, "Add")?;
    let (x, by) = view.scaled(view.unary(erf, "Erf")?)?;
    (one == [1.0] && (by - FRAC_1_SQRT_2).abs() < 1e-6).then_some(x)
}
