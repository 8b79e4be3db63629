//! INT8 transformer encoder layers (BERT's: post-norm, bidirectional attention), fused.
//!
//! # The parity contract
//!
//! The same weights and tokens give the same bits on every [`Isa`] and in wasm:
//!
//! - matrix products are integer sums, exact in any order: activations are 8-bit and signed, weights
//!   7-bit and offset, so that no instruction saturates;
//! - f32 arithmetic is lane by lane on 16 virtual lanes, whatever the width of a register; sums over
//!   lanes are a tree of fixed shape; there is no fused multiply-add;
//! - exp and erf are polynomials of this crate; division and square root are IEEE 754's.
//!
//! # Shapes
//!
//! Matrices are row-major slices, `[tokens][channels]`. Texts are packed one behind the other; each is
//! a range of tokens, and tokens attend to those of their own range.

#![allow(
    clippy::needless_range_loop,
    reason = "loops over rows, registers and channels read as the formulas do"
)]

mod attention;
mod backend;
mod block;
mod dot;
mod embedding;
mod error;
mod exp2;
mod gelu;
mod gemm;
mod head;
mod isa;
mod layer;
mod linear;
mod norm;
mod quantize;
mod reduce;
mod room;

pub use block::Block;
pub use embedding::{Embedding, embed};
pub use error::{Error, Result};
pub use isa::Isa;
pub use layer::{Layer, LayerParts, Scratch};
pub use linear::{
    Activation, Linear, LinearParts, WEIGHT_MAX, Weights, in_range, quantize_weights,
};
pub use norm::LayerNorm;
