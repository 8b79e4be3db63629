//! The shard: one flat, little-endian file that holds a part of a catalog (quantized vectors, their HNSW
//! graph and any further columns) and is searched in place.
//!
//! A [`Shard`] opens over any [`Storage`](nearshelf_container::Storage): a memory map, a `Vec`, static bytes, or
//! those ranges of a file that have come. Opening reads the head only; nothing is copied or deserialized. The
//! layout is described in `FORMAT.md` beside `nearshelf-container`.
//!
//! Every number that decides an order is either an exact integer or a single IEEE operation on
//! exact integers, so a search gives the same hits with the same scores on every target.

mod accept;
mod builder;
pub mod codes;
mod graph;
pub mod kernel;
mod scan;
mod shard;
mod similarity;
mod walk;

pub use accept::{Accept, All, Allowed};
pub use builder::ShardBuilder;
pub use codes::Query;
pub use graph::{DEGREE, Graph, MAX_ITEMS, NO_LINK};
pub use nearshelf_container::{Absent, Error, Result};
pub use shard::Shard;
pub use similarity::dot_f32;
pub use walk::{Candidate, Pool, Scratch, WalkStats};
