//! Training losses, over the similarities S of a batch: `[queries, items]`, cosines of the towers'
//! vectors. Each is differentiable in S and says its formula and source.
//!
//! s is the scale, the inverse of the softmax's temperature, in all of them.

mod distill;
mod mask;
mod mmse;
mod mnrl;
mod roar;
mod softmax;

pub use distill::{cosine_distance, listwise_distillation};
pub use mask::{FalseNegatives, Mask};
pub use mmse::{mmse_global, mmse_local};
pub use mnrl::mnrl;
pub use roar::roar;

#[cfg(test)]
mod tests;
