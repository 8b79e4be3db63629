//! Options of a search.

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
