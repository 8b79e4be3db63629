//! ONNX sentence encoders: tract reads and types the graph, a pass of our own finds encoder layers in it and
//! puts fused operators in their place. A graph that is recognised whole becomes a
//! [`Network`](nearshelf_network::Network), which runs without a graph engine and is written as a network file;
//! any other runs on tract, with what was recognised fused.
//!
//! A [`Graph`] takes any `.onnx` model with the inputs `input_ids`, `attention_mask` and (optionally)
//! `token_type_ids` whose first output is the last hidden state `[batch, sequence, dims]` or an already pooled
//! `[batch, dims]`.

mod error;
mod fuse;
mod graph;
mod inputs;
mod ops;
mod table;

pub use error::{Error, Result};
pub use graph::{Graph, Output};
/// The messages of an `.onnx` file, as tract has them: for tests that write models.
pub use tract_onnx::pb;
