//! The search of a catalog: which shards are visited, what is found in them, how hits are read.

mod dense;
mod hits;
mod visit;

use std::ops::Range;

pub use hits::Hit;
pub use visit::route;

/// Options of a search. Everything that is `None` is as the shelf's manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchOptions {
    /// Hits wanted.
    pub k: usize,
    /// Shards searched, nearest first.
    pub probe: Option<usize>,
    /// Candidates kept while walking (`ef_search`); never fewer than `k` needs.
    pub ef: Option<usize>,
}

impl Default for SearchOptions {
    fn default() -> Self {
        SearchOptions {
            k: 10,
            probe: None,
            ef: None,
        }
    }
}

/// Cost and coverage of a search.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SearchStats {
    /// Shards searched.
    pub probed: usize,
    /// Shards that would have been searched, had they been attached.
    pub missing: usize,
    /// Vectors compared with the query.
    pub distances: u64,
}

/// The hits of a search, best first, and its cost.
#[derive(Debug)]
pub struct Found<'a, S> {
    /// The hits.
    pub hits: Vec<Hit<'a, S>>,
    /// Cost and coverage.
    pub stats: SearchStats,
    /// Ranges of shards that have come in part, by the shard's number: candidates in them could not be scored, and
    /// are no hits until the ranges are added.
    pub absent: Vec<(usize, Range<usize>)>,
}
