//! The items that a search has gathered, and what that took.

use std::ops::Range;

use super::candidate::Ranked;

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

/// The items that a search has gathered.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub ranked: Vec<Ranked>,
    pub stats: SearchStats,
    pub absent: Vec<(usize, Range<usize>)>,
}
