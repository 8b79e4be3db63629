//! The result of a walk or a scan.

use crate::beam::Beam;
use crate::slices::Slices;

/// An item that a walk or a scan found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The sum of the products of coarse codes: similarity, up to a step and a difference that the query decides.
    pub score: i32,
    /// The item's shard.
    pub shard: u32,
    /// Its place in the shard.
    pub item: u32,
}

/// The result of a walk or a scan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidates {
    /// The items found, best first; equal scores in the order of shard and item.
    pub best: Vec<Candidate>,
    /// Whether an entry node that may be no hit is nearer than the tenth that may: the query lies elsewhere than what a filter
    /// allows, and a walk there misses some of it, as all of it is about as far.
    pub is_behind: bool,
    /// Vectors compared with the query.
    pub distances: u64,
    /// Nodes whose links were followed.
    pub expanded: u64,
}

impl Slices<'_> {
    /// The number of an item that was found.
    pub fn number(&self, candidate: &Candidate) -> u32 {
        let shard = candidate.shard as usize;
        self.numbering.number(shard, candidate.item)
    }

    /// The first `keep` nodes of a list.
    pub(crate) fn candidates(&self, found: &Beam, keep: usize) -> Vec<Candidate> {
        let candidate = |(score, number)| {
            let (shard, item) = self.numbering.place(number)?;
            Some(Candidate {
                score,
                shard: shard as u32,
                item,
            })
        };
        found.nodes().take(keep).filter_map(candidate).collect()
    }
}
