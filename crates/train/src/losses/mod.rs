//! Training losses, over the similarities S of a batch: `[queries, items]`, cosines of the towers'
//! vectors. Each is differentiable in S and says its formula and source.
//!
//! s is the scale, the inverse of the softmax's temperature, in all of them.

mod distill;
mod mask;
mod mmse;
mod mnrl;
mod roar;

pub use distill::{cosine_distance, listwise_distillation};
pub use mask::{FalseNegatives, Mask};
pub use mmse::{mmse_global, mmse_local};
pub use mnrl::mnrl;
pub use roar::roar;

use candle_core::{D, Result, Tensor};

/// Added to what is left out of a softmax.
const LEFT_OUT: f32 = -1e9;

/// log Σ_j e^{x_ij} over the j that are kept, `[rows]`; far below 0 for a row that keeps none.
fn log_sum_exp(x: &Tensor, kept: &Mask) -> Result<Tensor> {
    let x = x.broadcast_add(&kept.to_tensor(x, 0.0, LEFT_OUT)?)?;
    // The largest is only there for the range: its gradient cancels out.
    let largest = x.max_keepdim(D::Minus1)?.detach();
    let sum = x.broadcast_sub(&largest)?.exp()?.sum_keepdim(D::Minus1)?;
    (sum.log()? + largest)?.squeeze(D::Minus1)
}

/// log(1 + e^x) without overflow.
fn softplus(x: &Tensor) -> Result<Tensor> {
    x.relu()? + ((x.abs()?.neg()?.exp()? + 1.0)?).log()?
}

/// Element (row, column) of some rows, `[rows.len()]`.
fn pick(x: &Tensor, rows: &[usize], columns: &[usize]) -> Result<Tensor> {
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
fn select(x: &Tensor, rows: &[usize]) -> Result<Tensor> {
    let at: Vec<u32> = rows.iter().map(|&r| r as u32).collect();
    x.index_select(&Tensor::from_vec(at, rows.len(), x.device())?, 0)
}

#[cfg(test)]
mod tests;
