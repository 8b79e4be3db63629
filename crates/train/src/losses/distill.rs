//! Losses of distillation.

use candle_core::{D, Result, Tensor};
use candle_nn::ops::{log_softmax, softmax};

/// The mean distance of a student's unit vectors to a teacher's, both `[B, dims]`:
///
/// L = 1/B Σ_i (1 - ⟨a_i, b_i⟩)
///
/// which is half the squared distance (Reimers and Gurevych 2020, for unit vectors).
///
/// # Errors
/// What the device says.
pub fn cosine_distance(student: &Tensor, teacher: &Tensor) -> Result<Tensor> {
    (student * teacher)?.sum(D::Minus1)?.mean_all()?.neg()? + 1.0
}

/// Distance of the student's softmax over the items of a batch from the teacher's (Hinton et al. 2015;
/// over ranked lists: Cao et al. 2007, ListNet):
///
/// L = 1/B Σ_i Σ_j t_ij · (log t_ij - log softmax(s·S)_ij),  t = softmax(teacher)
///
/// `teacher` holds logits, `[B, N]` like `similarities`; no gradient goes into it.
///
/// # Errors
/// What the device says.
pub fn listwise_distillation(
    similarities: &Tensor,
    teacher: &Tensor,
    scale: f64,
) -> Result<Tensor> {
    let teacher = teacher.detach();
    let target = softmax(&teacher, D::Minus1)?;
    let divergence =
        (log_softmax(&teacher, D::Minus1)? - log_softmax(&(similarities * scale)?, D::Minus1)?)?;
    (target * divergence)?.sum(D::Minus1)?.mean_all()
}
