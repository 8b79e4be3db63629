//! The two grains of MMSE's objective (arXiv 2303.11009) over the stages of a query's items, the best
//! first: ordered, clicked, shown.

use candle_core::{Result, Tensor};

use crate::losses::mask::Mask;
use crate::losses::softmax::{log_sum_exp, pick, select};

/// The global grain: every positive against all items of the batch but the query's own.
///
/// L = -1/|P| Σ_{(q,i) ∈ P} log( e^{s·S_qi} / (e^{s·S_qi} + Σ_{j kept, j not of q} e^{s·S_qj}) )
///
/// P are the items in the first `positive` stages of each query. `stages[q]` has the columns of query q's
/// items by stage.
///
/// # Errors
/// What the device says.
pub fn mmse_global(
    similarities: &Tensor,
    stages: &[Vec<Vec<usize>>],
    positive: usize,
    kept: &Mask,
    scale: f64,
) -> Result<Tensor> {
    let mut terms = Vec::new();
    for (query, stages) in stages.iter().enumerate() {
        let own: Vec<usize> = stages.iter().flatten().copied().collect();
        let others: Vec<usize> = (0..similarities.dim(1)?)
            .filter(|&item| kept.keeps(query, item) && !own.contains(&item))
            .collect();
        for &item in stages.iter().take(positive).flatten() {
            terms.push((query, item, others.clone()));
        }
    }
    against(similarities, &terms, scale)
}

/// The local grain: every item against those of the same query in later stages.
///
/// L = -1/|T| Σ_{(q,i) ∈ T} log( e^{s·S_qi} / (e^{s·S_qi} + Σ_{j in stages after i's} e^{s·S_qj}) )
///
/// T are the items with a later stage.
///
/// # Errors
/// What the device says.
pub fn mmse_local(similarities: &Tensor, stages: &[Vec<Vec<usize>>], scale: f64) -> Result<Tensor> {
    let mut terms = Vec::new();
    for (query, stages) in stages.iter().enumerate() {
        for (stage, items) in stages.iter().enumerate() {
            let later: Vec<usize> = stages[stage + 1..].iter().flatten().copied().collect();
            if !later.is_empty() {
                terms.extend(items.iter().map(|&item| (query, item, later.clone())));
            }
        }
    }
    against(similarities, &terms, scale)
}

/// The mean over terms (query, item, others) of -log softmax of the item among itself and the others.
fn against(
    similarities: &Tensor,
    terms: &[(usize, usize, Vec<usize>)],
    scale: f64,
) -> Result<Tensor> {
    if terms.is_empty() {
        return similarities.sum_all()? * 0.0;
    }
    let rows: Vec<usize> = terms.iter().map(|t| t.0).collect();
    let items: Vec<usize> = terms.iter().map(|t| t.1).collect();
    let logits = (similarities * scale)?;
    let mut kept = Mask::new(terms.len(), similarities.dim(1)?, |_, _| false);
    for (row, (_, item, others)) in terms.iter().enumerate() {
        for &column in others.iter().chain([item]) {
            kept.keep(row, column);
        }
    }
    let all = log_sum_exp(&select(&logits, &rows)?, &kept)?;
    (all - pick(&logits, &rows, &items)?)?.mean_all()
}
