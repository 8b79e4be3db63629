//! The candidates of a search, which the walks of all shards share.

use std::cmp::Ordering;

use super::beam::insert;

/// An item that a walk found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Similarity by coarse codes, up to a factor that the query alone decides; comparable between
    /// shards.
    pub score: f32,
    /// The number that the caller gave to the shard.
    pub shard: u32,
    /// Item in the shard.
    pub item: u32,
}

impl Candidate {
    /// Better first; equal scores in the order of shard and item, so that no order is left to chance.
    fn rank(&self, other: &Self) -> Ordering {
        other
            .score
            .total_cmp(&self.score)
            .then(self.shard.cmp(&other.shard))
            .then(self.item.cmp(&other.item))
    }
}

/// The best candidates of all shards searched so far, at most `ef` of them.
#[derive(Debug, Clone, Default)]
pub struct Pool {
    ef: usize,
    best: Vec<Candidate>,
}

impl Pool {
    /// An empty pool for the `ef` best.
    pub fn new(ef: usize) -> Self {
        Pool {
            ef,
            best: Vec::with_capacity(ef + 1),
        }
    }

    /// The candidates, best first.
    pub fn candidates(&self) -> &[Candidate] {
        &self.best
    }

    /// The score that a candidate has to exceed once the pool is full.
    #[inline]
    pub(super) fn bound(&self) -> f32 {
        match self.best.last() {
            Some(last) if self.best.len() >= self.ef => last.score,
            _ => f32::NEG_INFINITY,
        }
    }

    #[inline]
    pub(crate) fn offer(&mut self, candidate: Candidate) {
        insert(&mut self.best, self.ef, self.ef, candidate, Candidate::rank);
    }
}
