//! Options of a search.

use crate::filter::Filter;

/// Options of a search. Everything that is `None` is as the shelf's manifest says.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchOptions {
    /// Hits wanted.
    pub k: usize,
    /// Shards searched, nearest first.
    pub probe: Option<usize>,
    /// Candidates kept while walking (`ef_search`); never fewer than `k` needs.
    pub ef: Option<usize>,
    /// Items that may be hits; all without one.
    pub filter: Option<Filter>,
}

impl Default for SearchOptions {
    fn default() -> Self {
        SearchOptions {
            k: 10,
            probe: None,
            ef: None,
            filter: None,
        }
    }
}
