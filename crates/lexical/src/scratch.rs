//! Memory that searches use again: scores by item, and the best so far.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Scores of a shard's items while terms are gone through.
#[derive(Debug, Default)]
pub struct Scratch {
    /// By item; zero where no term was found.
    pub(crate) scores: Vec<f32>,
    /// Items with a score.
    pub(crate) touched: Vec<u32>,
    /// The best share by item of a word that is looked for as several terms; zero between words.
    pub(crate) best: Vec<f32>,
    /// Items with such a share.
    pub(crate) items: Vec<u32>,
}

/// An item and its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// The score.
    pub score: f32,
    /// The item's shard.
    pub shard: u32,
    /// Its place there.
    pub item: u32,
}

impl Eq for Scored {}

impl PartialOrd for Scored {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scored {
    /// The larger score is the greater; of equal ones, the earlier item.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let score = self.score.total_cmp(&other.score);
        score.then((other.shard, other.item).cmp(&(self.shard, self.item)))
    }
}

/// The best `k` items so far.
#[derive(Debug)]
pub struct Top {
    k: usize,
    heap: BinaryHeap<Reverse<Scored>>,
}

impl Top {
    /// None so far.
    pub fn new(k: usize) -> Self {
        Top {
            k,
            heap: BinaryHeap::new(),
        }
    }

    /// The score that an item has to reach; 0 while there is room.
    pub(crate) fn threshold(&self) -> f32 {
        match self.heap.peek() {
            Some(Reverse(least)) if self.heap.len() >= self.k => least.score,
            _ => 0.0,
        }
    }

    pub(crate) fn k(&self) -> usize {
        self.k
    }

    pub(crate) fn push(&mut self, scored: Scored) {
        if self.heap.len() < self.k {
            self.heap.push(Reverse(scored));
        } else if let Some(mut least) = self.heap.peek_mut()
            && least.0 < scored
        {
            *least = Reverse(scored);
        }
    }

    /// The best, best first.
    pub fn into_sorted(self) -> Vec<Scored> {
        let sorted = self.heap.into_sorted_vec();
        sorted.into_iter().map(|Reverse(scored)| scored).collect()
    }
}
