//! The ROAR loss.

use candle_core::{Result, Tensor};

use crate::losses::mask::Mask;
use crate::losses::softmax::{log_sum_exp, select, softplus};

/// Relative Odds Alignment for Retrieval (arXiv 2606.01504, stage 2). For a query's items in groups of
/// equal grade G_1 > G_2 > …, of any number and size:
///
/// L = -1/Q Σ_q Σ_i log σ( log odds(G_i) - log odds(G_{i+1}) - margin ),  odds = p / (1 - p)
///
/// where p(G) is the mean over G of the model's retrieval probabilities, the softmax of s·S over the
/// items that are kept. (The abstract leaves open how a group's probability is made; a mean, unlike a
/// sum, does not favour grades with many items.) With Z the sum of e^{s·S} over what is kept:
///
/// odds(G) = Σ_G e^{s·S} / ( |G| · Σ_{not G} e^{s·S} + (|G| - 1) · Σ_G e^{s·S} )
///
/// which needs no 1 - p and therefore loses no digits where p is near 1. `groups[q]` has the columns of
/// query q's groups, the best first; a query with one group orders nothing and counts as 0. Q is the
/// number of queries that order something.
///
/// # Errors
/// What the device says.
pub fn roar(
    similarities: &Tensor,
    groups: &[Vec<Vec<usize>>],
    kept: &Mask,
    scale: f64,
    margin: f64,
) -> Result<Tensor> {
    let columns = similarities.dim(1)?;
    // A row for each group of a query that has two or more.
    let ordering: Vec<usize> = (0..groups.len()).filter(|&q| groups[q].len() > 1).collect();
    let mut queries = Vec::new();
    let mut members: Vec<&[usize]> = Vec::new();
    let mut better = Vec::new();
    for &query in &ordering {
        for (rank, group) in groups[query].iter().enumerate() {
            if rank + 1 < groups[query].len() {
                better.push(members.len());
            }
            queries.push(query);
            members.push(group);
        }
    }
    if ordering.is_empty() {
        return similarities.sum_all()? * 0.0;
    }
    let logits = select(&(similarities * scale)?, &queries)?;
    let inside = Mask::new(members.len(), columns, |r, c| members[r].contains(&c));
    let outside = Mask::new(members.len(), columns, |r, c| {
        !inside.keeps(r, c) && kept.keeps(queries[r], c)
    });
    let inside = log_sum_exp(&logits, &inside)?;
    let outside = log_sum_exp(&logits, &outside)?;
    let logs = |shift: usize| {
        let logs = members
            .iter()
            .map(|m| ((m.len() - shift) as f32).ln().max(-1e9));
        Tensor::from_vec(
            logs.collect::<Vec<f32>>(),
            members.len(),
            similarities.device(),
        )
    };
    // log(a + b) = log a + softplus(log b - log a)
    let (rest, own) = ((outside + logs(0)?)?, (&inside + logs(1)?)?);
    let against = (&rest + softplus(&(&own - &rest)?)?)?;
    let odds = (inside - against)?;
    let worse: Vec<usize> = better.iter().map(|&row| row + 1).collect();
    let lead = (select(&odds, &better)? - select(&odds, &worse)?)?;
    softplus(&(lead.neg()? + margin)?)?.sum_all()? / ordering.len() as f64
}
