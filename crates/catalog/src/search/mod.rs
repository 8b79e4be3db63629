//! The search of a catalog: which shards are visited, what is found in them, how hits are read.

mod candidate;
mod dense;
mod fuse;
mod hits;
mod hybrid;
mod lexical;
mod options;
mod visit;

use std::ops::Range;

use nearshelf_lexical::WordQuery;

pub use candidate::Parts;
pub use hits::Hit;
pub use options::{Mode, SearchOptions};
pub use visit::route;

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
    /// The words that were looked for; `None` where meaning alone was compared.
    pub words: Option<WordQuery>,
    /// Cost and coverage.
    pub stats: SearchStats,
    /// Ranges of shards that have come in part, by the shard's number: candidates in them could not be scored, and
    /// are no hits until the ranges are added.
    pub absent: Vec<(usize, Range<usize>)>,
}
