//! The shard: one flat, little-endian file that holds a part of a catalog (quantized vectors,
//! their HNSW graph and any further columns) and is searched in place.
//!
//! A [`Shard`] opens over any `AsRef<[u8]>`: a memory map, a `Vec`, static bytes. Opening reads the
//! header and the section table only; nothing is copied or deserialized. The layout is described in
//! `FORMAT.md` beside this crate.
//!
//! Every number that decides an order is either an exact integer or a single IEEE operation on
//! exact integers, so a search gives the same hits with the same scores on every target.

mod error;
pub mod format;
mod graph;
pub mod kernel;
mod shard;
mod vector;
mod walk;

pub use error::{Error, Result};
pub use graph::{DEGREE, Graph, MAX_ITEMS, NO_LINK};
pub use shard::{Shard, ShardBuilder};
pub use vector::{QuantizedVector, Query, dot_f32, stride};
pub use walk::{Candidate, Pool, Scratch, WalkStats};
