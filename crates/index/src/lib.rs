//! The shard: one flat, little-endian file that holds a part of a catalog (quantized vectors, their links
//! and any further columns) and is searched in place.
//!
//! A [`Shard`] opens over any [`Storage`](nearshelf_container::Storage): a memory map, a `Vec`, static bytes, or
//! those ranges of a file that have come. Opening reads the head only; nothing is copied or deserialized. The
//! layout is described in `FORMAT.md` beside `nearshelf-container`.
//!
//! All shards of a shelf are [`Slices`] of one graph: their links lead across shards, by the numbers of a
//! [`Numbering`].
//!
//! Every number that decides an order is either an exact integer or a single IEEE operation on
//! exact integers, so a search gives the same hits with the same scores on every target.

mod accept;
mod added;
mod beam;
mod builder;
mod candidates;
pub mod codes;
pub mod kernel;
mod links;
mod numbering;
mod scan;
mod shard;
mod similarity;
mod slices;
mod walk;

pub use accept::{Accept, All, Allowed, AllowedByShard};
pub use added::Added;
pub use builder::ShardBuilder;
pub use candidates::{Candidate, Candidates};
pub use codes::{CodedVectors, Precision, Query};
pub use links::{LinkRows, Links, MAX_LINKS};
pub use nearshelf_container::{Absent, Error, Result};
pub use numbering::{MAX_NUMBERS, Numbering};
pub use shard::{MAX_ITEMS, Shard};
pub use similarity::dot_f32;
pub use slices::{Slice, Slices};
pub use walk::Scratch;
