//! The multiple negatives ranking loss.

use candle_core::{Result, Tensor};

use crate::losses::mask::Mask;
use crate::losses::softmax::{log_sum_exp, pick};

/// Multiple Negatives Ranking Loss (Henderson et al. 2017, section 4; arXiv 2602.00899):
///
/// L = -1/B Σ_i log( e^{s·S_ip(i)} / Σ_{j kept in row i} e^{s·S_ij} )
///
/// `similarities` is `[B, N]`, `positives[i]` the column of query i's item, always kept.
///
/// # Errors
/// What the device says.
pub fn mnrl(similarities: &Tensor, positives: &[usize], kept: &Mask, scale: f64) -> Result<Tensor> {
    let logits = (similarities * scale)?;
    let rows: Vec<usize> = (0..positives.len()).collect();
    (log_sum_exp(&logits, kept)? - pick(&logits, &rows, positives)?)?.mean_all()
}
