//! One step: the loss of a batch and its gradients.

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};

use crate::batch::Batch;
use crate::bert::{Packed, Parameter};
use crate::error::Result;
use crate::losses::{self, FalseNegatives, Mask};
use crate::recipe::Loss;
use crate::tower::Tower;

/// The loss of a batch and the gradient of every parameter, in the order of `Bert::parameters`.
///
/// With `chunk` gradients are cached (Gao et al. 2021, arXiv 2101.06983): all texts are encoded without
/// keeping anything, the loss gives the gradients of their vectors, and each chunk of texts is encoded
/// again to carry them on. The result is the same, for a third more work and the memory of one chunk.
pub(crate) fn gradients(
    tower: &Tower,
    batch: &Batch,
    loss: &Loss,
    chunk: Option<usize>,
) -> Result<(f64, Vec<Tensor>)> {
    let parameters = tower.bert().parameters();
    let Some(chunk) = chunk.filter(|&chunk| chunk < batch.texts.len()) else {
        let vectors = tower.vectors(&Packed::new(&batch.texts), true)?;
        let loss = of_vectors(&vectors, batch, loss)?;
        let gradients = of_parameters(loss.backward()?, &parameters)?;
        return Ok((f64::from(loss.to_scalar::<f32>()?), gradients));
    };
    let chunks: Vec<Packed> = batch.texts.chunks(chunk).map(Packed::new).collect();
    let parts = chunks
        .iter()
        .map(|texts| tower.vectors(texts, false))
        .collect::<Result<Vec<_>>>()?;
    let vectors = Var::from_tensor(&Tensor::cat(&parts, 0)?)?;
    let loss = of_vectors(&vectors, batch, loss)?;
    let cached = loss.backward()?;
    // None where the loss does not depend on the vectors: nothing to learn from this batch.
    let cached = match cached.get(&vectors) {
        Some(gradient) => gradient.clone(),
        None => vectors.zeros_like()?,
    };
    let mut sums: Vec<Option<Tensor>> = parameters.iter().map(|_| None).collect();
    let mut start = 0;
    for (texts, part) in chunks.iter().zip(&parts) {
        let count = part.dim(0)?;
        let carried = cached.narrow(0, start, count)?;
        start += count;
        let mut found = (tower.vectors(texts, true)? * carried)?
            .sum_all()?
            .backward()?;
        for (sum, parameter) in sums.iter_mut().zip(&parameters) {
            if let Some(gradient) = found.remove(parameter.var) {
                *sum = Some(match sum.take() {
                    Some(sum) => (sum + gradient)?,
                    None => gradient,
                });
            }
        }
    }
    let gradients = sums
        .into_iter()
        .zip(&parameters)
        .map(|(sum, p)| sum.map_or_else(|| Ok(p.var.zeros_like()?), Ok))
        .collect::<Result<_>>()?;
    Ok((f64::from(loss.to_scalar::<f32>()?), gradients))
}

/// The gradient of every parameter; 0 for one that a loss does not depend on.
pub(crate) fn of_parameters(
    mut found: GradStore,
    parameters: &[Parameter<'_>],
) -> Result<Vec<Tensor>> {
    parameters
        .iter()
        .map(|p| match found.remove(p.var) {
            Some(gradient) => Ok(gradient),
            None => Ok(p.var.zeros_like()?),
        })
        .collect()
}

/// The loss, given the vectors of the batch's texts.
fn of_vectors(vectors: &Tensor, batch: &Batch, loss: &Loss) -> Result<Tensor> {
    let rows = |places: &[usize]| -> Result<Tensor> {
        let places: Vec<u32> = places.iter().map(|&place| place as u32).collect();
        let count = places.len();
        let places = Tensor::from_vec(places, count, vectors.device())?;
        Ok(vectors.index_select(&places, 0)?)
    };
    let (queries, items) = (rows(&batch.queries)?, rows(&batch.items)?);
    let similarities = queries.matmul(&items.t()?)?;
    let masked = |rule: &Option<FalseNegatives>| -> Result<Mask> {
        let mut kept = batch.kept.clone();
        if let Some(rule) = rule {
            let on_host = |x: &Tensor| x.detach().to_device(&Device::Cpu)?.to_vec2::<f32>();
            let among = items.detach().matmul(&items.detach().t()?)?;
            rule.leave_out(
                &on_host(&similarities)?,
                &on_host(&among)?,
                &batch.positives,
                &mut kept,
            );
        }
        Ok(kept)
    };
    Ok(match loss {
        Loss::Mnrl {
            scale,
            false_negatives,
        } => losses::mnrl(
            &similarities,
            &batch.positives,
            &masked(false_negatives)?,
            *scale,
        )?,
        Loss::Roar {
            scale,
            odds_scale,
            margin,
            contrastive,
            false_negatives,
        } => {
            let kept = masked(false_negatives)?;
            let order = losses::roar(&similarities, &batch.groups, &kept, *odds_scale, *margin)?;
            let contrast = losses::mnrl(&similarities, &batch.positives, &kept, *scale)?;
            (order + (contrast * *contrastive)?)?
        }
        Loss::Mmse {
            scale,
            local_scale,
            local,
            positive,
        } => {
            let groups = &batch.groups;
            let global =
                losses::mmse_global(&similarities, groups, *positive, &batch.kept, *scale)?;
            (global + (losses::mmse_local(&similarities, groups, *local_scale)? * *local)?)?
        }
        Loss::Hybrid { scale, .. } => {
            let teacher = batch.teacher.clone().unwrap_or_default();
            let shape = (batch.queries.len(), batch.items.len());
            let teacher = Tensor::from_vec(teacher, shape, vectors.device())?;
            losses::listwise_distillation(&similarities, &teacher, *scale)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bert::tests::small;
    use nearshelf_encoder::{Head, Pooling};

    #[test]
    fn cached_gradients_are_the_gradients() {
        let heads = [(Pooling::Mean, 2.0), (Pooling::Cls, 1.0)];
        let heads = heads.map(|(pooling, weight)| Head { pooling, weight });
        let tower = Tower::of(small(7), heads.into());
        let text = |i: u32| (0..3 + i % 4).map(|j| (i * 7 + j * 3) % 50).collect();
        let batch = Batch {
            texts: (0..9).map(text).collect(),
            queries: vec![0, 1, 2],
            items: vec![3, 4, 5, 6, 7, 8],
            positives: vec![0, 1, 2],
            groups: vec![
                vec![vec![0], vec![3]],
                vec![vec![1, 4], vec![5]],
                vec![vec![2]],
            ],
            kept: Mask::all(3, 6),
            teacher: Some((0..18).map(|i| (i % 5) as f32).collect()),
        };
        let rule = Some(FalseNegatives {
            margin: -0.5,
            duplicate: 0.99,
        });
        for loss in [
            Loss::Mnrl {
                scale: 20.0,
                false_negatives: rule,
            },
            Loss::Roar {
                scale: 20.0,
                odds_scale: 10.0,
                margin: 0.1,
                contrastive: 0.3,
                false_negatives: rule,
            },
            Loss::Mmse {
                scale: 20.0,
                local_scale: 10.0,
                local: 0.7,
                positive: 1,
            },
            Loss::Hybrid {
                scale: 20.0,
                teacher_scale: 20.0,
                lexical: 0.5,
                words: 4,
                shared: 0.0,
            },
        ] {
            let (whole, expected) = gradients(&tower, &batch, &loss, None).unwrap();
            let (cached, found) = gradients(&tower, &batch, &loss, Some(2)).unwrap();
            assert!(
                (whole - cached).abs() < 1e-5 * whole.abs().max(1.0),
                "{whole} {cached}"
            );
            for (found, expected) in found.iter().zip(&expected) {
                let (found, expected) = (
                    found.to_vec1::<f32>().unwrap(),
                    expected.to_vec1::<f32>().unwrap(),
                );
                let largest = expected.iter().fold(0f32, |a, b| a.max(b.abs())).max(1e-3);
                for (a, b) in found.iter().zip(&expected) {
                    assert!((a - b).abs() < 2e-5 * largest, "{loss:?}: {a} {b}");
                }
            }
        }
    }
}
