//! The search of a shard's graph (HNSW, Malkov and Yashunin 2018, algorithms 2 and 5) with a pool of
//! results that several shards share.

use std::cmp::Ordering;

use crate::graph::{DEGREE_ZERO, NO_LINK};
use crate::kernel::{self, DotCoarse};
use crate::shard::Shard;
use crate::vector::Query;

/// Best nodes of a shard that are expanded even when they score below the shared bound: the way from
/// the entry point to the query's neighbourhood leads through them.
const APPROACH: usize = 4;
/// Rows ahead of the one being scored whose cache lines are asked for.
const PREFETCH_AHEAD: usize = 4;

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
    fn bound(&self) -> f32 {
        match self.best.last() {
            Some(last) if self.best.len() >= self.ef => last.score,
            _ => f32::NEG_INFINITY,
        }
    }

    #[inline]
    fn offer(&mut self, candidate: Candidate) {
        insert(&mut self.best, self.ef, candidate, Candidate::rank);
    }
}

/// Inserts into a list sorted by `rank` that keeps at most `limit`; the place, if it was kept.
#[inline]
fn insert<T>(
    list: &mut Vec<T>,
    limit: usize,
    new: T,
    rank: impl Fn(&T, &T) -> Ordering,
) -> Option<usize> {
    if list.len() >= limit
        && list
            .last()
            .is_none_or(|last| rank(&new, last) != Ordering::Less)
    {
        return None;
    }
    let at = list.partition_point(|old| rank(old, &new) == Ordering::Less);
    if list.len() >= limit {
        list.pop();
    }
    list.insert(at, new);
    Some(at)
}

/// What a walk cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WalkStats {
    /// Vectors compared with the query.
    pub distances: u64,
    /// Nodes whose links were followed.
    pub expanded: u64,
}

/// Memory that walks reuse: one for each thread that searches.
#[derive(Debug, Default)]
pub struct Scratch {
    visited: Vec<u8>,
    generation: u8,
    beam: Vec<Node>,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    score: f32,
    item: u16,
    expanded: bool,
}

impl Node {
    fn rank(&self, other: &Self) -> Ordering {
        other
            .score
            .total_cmp(&self.score)
            .then(self.item.cmp(&other.item))
    }
}

impl Scratch {
    fn reset(&mut self, items: usize) {
        self.beam.clear();
        if self.visited.len() < items {
            self.visited.resize(items, 0);
        }
        self.generation = self.generation.wrapping_add(1);
        if self.generation == 0 {
            self.visited.fill(0);
            self.generation = 1;
        }
    }

    /// Marks an item; whether it was new.
    #[inline]
    fn visit(&mut self, item: u16) -> bool {
        match self.visited.get_mut(usize::from(item)) {
            Some(seen) if *seen != self.generation => {
                *seen = self.generation;
                true
            }
            _ => false,
        }
    }
}

impl<D: AsRef<[u8]>> Shard<D> {
    /// Walks the graph for the query's nearest items and offers them to the pool under the number
    /// `shard`. `ef` bounds the walk's own list (`ef_search` of the paper).
    ///
    /// The walk stops when its best unexpanded node scores below the pool's last: what a pool brings
    /// from nearer shards keeps the walks of the later ones short.
    ///
    /// A query of other dimensions than the shard's finds nothing.
    pub fn walk(
        &self,
        shard: u32,
        query: &Query,
        ef: usize,
        pool: &mut Pool,
        scratch: &mut Scratch,
    ) -> WalkStats {
        let mut stats = WalkStats::default();
        if query.dims() != self.dims() || self.is_empty() {
            return stats;
        }
        let scorer = Scorer {
            shard: self,
            query,
            dot: kernel::dot_coarse(),
        };
        scratch.reset(self.len());

        let mut best = Node {
            score: scorer.score(0),
            item: 0,
            expanded: false,
        };
        stats.distances += 1;
        for layer in 0..self.upper_layers() {
            loop {
                let from = best.item;
                stats.expanded += 1;
                scorer.for_each(
                    self.links(Some(layer), usize::from(from)),
                    |_| true,
                    |item, score| {
                        stats.distances += 1;
                        let node = Node {
                            score,
                            item,
                            expanded: false,
                        };
                        if node.rank(&best) == Ordering::Less {
                            best = node;
                        }
                    },
                );
                if best.item == from {
                    break;
                }
            }
        }

        scratch.visit(best.item);
        scratch.beam.push(best);
        pool.offer(Candidate {
            score: best.score,
            shard,
            item: best.item.into(),
        });
        let mut next = 0;
        while let Some(at) = (next..scratch.beam.len()).find(|&i| !scratch.beam[i].expanded) {
            let node = &mut scratch.beam[at];
            if at >= APPROACH && node.score < pool.bound() {
                break;
            }
            node.expanded = true;
            let item = node.item;
            stats.expanded += 1;
            next = at + 1;
            let mut beam = std::mem::take(&mut scratch.beam);
            scorer.for_each(
                self.links(None, usize::from(item)),
                |item| scratch.visit(item),
                |item, score| {
                    stats.distances += 1;
                    pool.offer(Candidate {
                        score,
                        shard,
                        item: item.into(),
                    });
                    let node = Node {
                        score,
                        item,
                        expanded: false,
                    };
                    if let Some(at) = insert(&mut beam, ef, node, Node::rank) {
                        next = next.min(at);
                    }
                },
            );
            scratch.beam = beam;
        }
        stats
    }

    /// Offers every item to the pool: exact search by coarse codes.
    pub fn scan(&self, shard: u32, query: &Query, pool: &mut Pool) {
        if query.dims() != self.dims() {
            return;
        }
        let scorer = Scorer {
            shard: self,
            query,
            dot: kernel::dot_coarse(),
        };
        for item in 0..self.len() {
            pool.offer(Candidate {
                score: scorer.score(item),
                shard,
                item: item as u32,
            });
        }
    }
}

struct Scorer<'a, D> {
    shard: &'a Shard<D>,
    query: &'a Query,
    dot: DotCoarse,
}

impl<D: AsRef<[u8]>> Scorer<'_, D> {
    #[inline]
    fn score(&self, item: usize) -> f32 {
        let (Some(codes), Some(step)) = (self.shard.codes(item), self.shard.step(item)) else {
            return f32::NEG_INFINITY;
        };
        // A step that is not a number can only come from damaged bytes; it must not top the order.
        let score = ((self.dot)(codes, &self.query.coarse) - self.query.offset) as f32 * step;
        if score.is_nan() {
            f32::NEG_INFINITY
        } else {
            score
        }
    }

    /// Scores the linked items that `wanted` lets through, in the order of the links.
    #[inline]
    fn for_each(
        &self,
        links: &[[u8; 2]],
        mut wanted: impl FnMut(u16) -> bool,
        mut found: impl FnMut(u16, f32),
    ) {
        let mut items = [0u16; DEGREE_ZERO];
        let mut count = 0;
        for link in links
            .iter()
            .take(DEGREE_ZERO)
            .map(|&l| u16::from_le_bytes(l))
        {
            if link == NO_LINK {
                break;
            }
            if usize::from(link) < self.shard.len() && wanted(link) {
                items[count] = link;
                count += 1;
            }
        }
        let items = &items[..count];
        for &item in items.iter().take(PREFETCH_AHEAD) {
            self.prefetch(item);
        }
        for (i, &item) in items.iter().enumerate() {
            if let Some(&ahead) = items.get(i + PREFETCH_AHEAD) {
                self.prefetch(ahead);
            }
            found(item, self.score(usize::from(item)));
        }
    }

    #[inline]
    fn prefetch(&self, item: u16) {
        if let Some(codes) = self.shard.codes(usize::from(item)) {
            kernel::prefetch(codes);
        }
    }
}
