//! Sums over exponentials, and the choice of elements, that losses are made of.

use candle_core::{D, Result, Tensor};

use crate::losses::mask::Mask;

/// Added to what is left out of a softmax.
const LEFT_OUT: f32 = -1e9;

/// log Σ_j e^{x_ij} over the j that are kept, `[rows]`; far below 0 for a row that keeps none.
pub(super) fn log_sum_exp(x: &Tensor, kept: &Mask) -> Result<Tensor> {
    let x = x.broadcast_add(&kept.to_tensor(x, 0.0, LEFT_OUT)?)?;
    // The largest is only there for the range: its gradient cancels out.
    let largest = x.max_keepdim(D::Minus1)?.detach();
    let sum = x.broadcast_sub(&largest)?.exp()?.sum_keepdim(D::Minus1)?;
    (sum.log()? + largest)?.squeeze(D::Minus1)
}

/// log(1 + e^x) without overflow.
pub(super) fn softplus(x: &Tensor) -> Result<Tensor> {
    x.relu()? + ((x.abs()?.neg()?.exp()? + 1.0)?).log()?
}

/// Element (row, column) of some rows, `[rows.len()]`.
pub(super) fn pick(x: &Tensor, rows: &[usize], columns: &[usize]) -> Result<Tensor> {
    let width = x.dim(1)?;
    let at: Vec<u32> = rows
        .iter()
        .zip(columns)
        .map(|(r, c)| (r * width + c) as u32)
        .collect();
    let at = Tensor::from_vec(at, rows.len(), x.device())?;
    x.flatten_all()?.index_select(&at, 0)
}

/// Some rows of a matrix.
pub(super) fn select(x: &Tensor, rows: &[usize]) -> Result<Tensor> {
    let at: Vec<u32> = rows.iter().map(|&r| r as u32).collect();
    x.index_select(&Tensor::from_vec(at, rows.len(), x.device())?, 0)
}
