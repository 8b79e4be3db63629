//! The search of a catalog: which shards are visited, what is found in them, how hits are read.

mod asked;
mod boost;
mod candidate;
mod count;
mod dense;
mod diverse;
mod facets;
mod fuse;
mod gathered;
mod hits;
mod hybrid;
mod lexical;
mod matched;
mod options;
mod page;
mod sort;
mod variants;
mod visit;

use std::ops::Range;

use nearshelf_lexical::WordQuery;

pub use boost::Boost;
pub use candidate::Parts;
pub use facets::{Facet, FacetCounts, FacetQuery, RangeCount, ValueCount};
pub use gathered::SearchStats;
pub use hits::Hit;
pub use options::{Mode, SearchOptions};
pub use sort::Sort;
pub use visit::route;

/// The hits of a search, best first, and its cost.
#[derive(Debug)]
pub struct Found<'a, S> {
    /// The hits.
    pub hits: Vec<Hit<'a, S>>,
    /// The words that were looked for; `None` where meaning alone was compared.
    pub words: Option<WordQuery>,
    /// The items that match the query, where they had to be known: for facets, an order by fields, or without a query.
    pub matches: Option<Matches>,
    /// The facets that were asked for.
    pub facets: Vec<Facet>,
    /// Cost and coverage.
    pub stats: SearchStats,
    /// Ranges of shards that have come in part, by the shard's number: candidates in them could not be scored, and
    /// are no hits until the ranges are added.
    pub absent: Vec<(usize, Range<usize>)>,
}

/// The number of items that match a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Matches {
    /// Items.
    pub count: u64,
    /// Whether these are all, and the counts of facets with them: not while shards are missing, nor where more items are near in
    /// meaning than are looked at.
    pub exact: bool,
}
