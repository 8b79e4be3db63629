//! The graph of a shelf: which items are linked with which, over all shards.
//!
//! 1. [`hnsw`]: instant-distance links runs of neighbouring items, each by itself.
//! 2. [`join`]: every item is looked for in the nearest other runs, and the links are pruned.
//! 3. [`refine`]: every item is looked for in the whole graph, and what is found on the way pruned in (the second pass
//!    of Vamana, Subramanya et al. 2019).
//! 4. [`bridge`]: items that answer the same query are linked.
//! 5. [`reach`]: items without a way to them get one.
//!
//! [`extend()`] links items that come later with the graph of a shelf, which stays as it is; [`carry()`] makes one graph of both.
//!
//! Every pass reads a graph that does not change and works item by item, so that the number of threads changes nothing.

mod bridge;
mod carry;
mod extend;
mod frozen;
mod hnsw;
mod join;
mod linking;
mod lists;
mod prune;
mod reach;
mod refine;
mod vectors;

pub use self::bridge::Asked;
pub use self::carry::{GONE, carry};
pub use self::extend::{Extended, extend};
pub use self::frozen::{Frozen, entries};
pub use self::linking::{EF_CONSTRUCTION, Linking};
pub use self::vectors::Vectors;
use crate::error::Result;

/// Links the vectors; answers to the same of `queries` are linked with each other.
///
/// # Errors
/// A thread that cannot be started, links that do not fit a shard.
pub fn link(vectors: &Vectors, queries: &[Asked], linking: &Linking<'_>) -> Result<Frozen> {
    let runs = hnsw::link(vectors, linking)?;
    let joined = join::join(vectors, &runs, linking)?;
    drop(runs);
    let frozen = Frozen::new(vectors, &joined)?;
    let refined = refine::refine(vectors, &frozen, linking)?;
    drop((frozen, joined));
    let frozen = Frozen::new(vectors, &refined)?;
    let slices = frozen.slices(vectors);
    let mut lists = bridge::bridge(refined, vectors, &slices, queries, linking)?;
    reach::connect(&mut lists, vectors, &slices);
    Frozen::new(vectors, &lists)
}

#[cfg(test)]
mod tests;
