//! The search of a shard's graph (HNSW, Malkov and Yashunin 2018, algorithms 2 and 5) with a pool of
//! results that several shards share.
//!
//! A walk has two lists. The *beam* is its way: the best nodes seen, whether they may be hits or not. The
//! *results* are the best nodes that may be hits; where every item may, the two are one.

mod beam;
mod params;
mod pool;
mod scratch;

use nearshelf_container::{Absent, Storage};

use self::beam::{Node, insert};
use self::params::{APPROACH, FIRST_STEPS, MAX_WIDENING, PREFETCH_LINKS, SEEDS, SLACK};
pub use self::pool::{Candidate, Pool};
pub use self::scratch::Scratch;
use self::scratch::{unvisited, visit};
use crate::accept::Accept;
use crate::codes::{CodedQuery, Codes, Layout, Query, Rows};
use crate::graph::DEGREE;
use crate::kernel;
use crate::shard::{LinkRows, Shard};

/// The cost of a walk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WalkStats {
    /// Vectors compared with the query.
    pub distances: u64,
    /// Nodes whose links were followed.
    pub expanded: u64,
}

impl<S: Storage> Shard<S> {
    /// Walks the graph for the query's nearest items among those that `accept` takes, and offers them to the pool
    /// under the number `shard`. `ef` bounds the walk's own list of results (`ef_search` of the paper).
    ///
    /// The walk stops when its best unexpanded node scores below the pool's last: what a pool brings
    /// from nearer shards keeps the walks of the later ones short.
    ///
    /// A query of other dimensions than the shard's finds nothing.
    ///
    /// # Errors
    /// Links or codes of the shard are not here.
    pub fn walk<A: Accept>(
        &self,
        shard: u32,
        query: &Query,
        ef: usize,
        accept: &A,
        pool: &mut Pool,
        scratch: &mut Scratch,
    ) -> Result<WalkStats, Absent> {
        if query.dims() != self.dims() {
            return Ok(WalkStats::default());
        }
        match self.layout() {
            Layout::SevenFour(codes) => Ok(Walk {
                rows: codes.rows(self.storage())?,
                query: query.seven_four(),
                links: self.links()?,
                accept,
                items: self.len(),
                entries: self.entries(),
                bound: pool.bound(),
                ef,
                wide: widened(ef, accept, self.len()),
                stats: WalkStats::default(),
            }
            .run(shard, pool, scratch)),
        }
    }
}

/// Length of the beam: `ef`, and more where only some items may be hits.
fn widened<A: Accept>(ef: usize, accept: &A, items: usize) -> usize {
    if A::ALL {
        return ef;
    }
    let factor = items.div_ceil(accept.count(items).max(1));
    ef.saturating_mul(factor.clamp(1, MAX_WIDENING))
}

/// A walk through one shard.
struct Walk<'a, R: Rows, A> {
    rows: R,
    query: &'a R::Query,
    links: &'a LinkRows,
    accept: &'a A,
    items: usize,
    entries: usize,
    /// The pool's last score: what is below it is of use only as a step on the way.
    bound: f32,
    /// Length of the results.
    ef: usize,
    /// Length of the beam.
    wide: usize,
    stats: WalkStats,
}

impl<R: Rows, A: Accept> Walk<'_, R, A>
where
    R::Query: CodedQuery,
{
    fn run(mut self, shard: u32, pool: &mut Pool, scratch: &mut Scratch) -> WalkStats {
        scratch.visited.clear();
        scratch.visited.resize(self.items.div_ceil(64), 0);
        let room = scratch.dots.len().max(DEGREE).max(self.entries);
        scratch.dots.resize(room, 0);
        scratch.beam.clear();
        scratch.results.clear();
        self.start(scratch);
        self.go_on(scratch);
        let found = if A::ALL {
            &scratch.beam
        } else {
            &scratch.results
        };
        for node in found.iter().take_while(|node| node.score >= self.bound) {
            pool.offer(Candidate {
                score: node.score,
                shard,
                item: node.item.into(),
            });
        }
        self.stats
    }

    /// Fills the beam with the best of the entry nodes.
    fn start(&mut self, scratch: &mut Scratch) {
        let Scratch {
            visited,
            beam,
            results,
            items,
            dots,
        } = scratch;
        items.clear();
        items.extend(0..self.entries as u16);
        self.stats.distances += items.len() as u64;
        self.rows.score(self.query, items, dots, |item, score| {
            insert(beam, SEEDS, SEEDS, Node::new(item, score), Node::rank);
        });
        for node in beam.iter() {
            visit(visited, node.item);
            if !A::ALL && self.accept.accepts(node.item) {
                insert(results, self.ef, self.ef, *node, Node::rank);
            }
        }
        items.resize(items.len().max(DEGREE), 0);
    }

    /// Expands the best node that is not yet, until none is worth it.
    fn go_on(&mut self, scratch: &mut Scratch) {
        let Scratch {
            visited,
            beam,
            results,
            items,
            dots,
        } = scratch;
        let (bound, ef, wide, links) = (self.bound, self.ef, self.wide, self.links);
        let slack = SLACK * self.query.unit();
        let mut next = 0;
        while let Some(at) = (next..beam.len()).find(|&i| !beam[i].expanded) {
            let node = &mut beam[at];
            let on_the_way =
                at < APPROACH && (self.stats.expanded < FIRST_STEPS || node.score >= bound - slack);
            if node.score < bound && !on_the_way {
                break;
            }
            node.expanded = true;
            next = at + 1;
            self.stats.expanded += 1;
            let Some(row) = links.get(usize::from(node.item)) else {
                continue;
            };
            let linked = unvisited(row, visited, items);
            self.stats.distances += linked as u64;
            let items = &items[..linked];
            self.rows.score(self.query, items, dots, |item, score| {
                let limit = if score < bound {
                    APPROACH.min(wide)
                } else {
                    wide
                };
                let node = Node::new(item, score);
                if !A::ALL && score >= bound && self.accept.accepts(item) {
                    insert(results, ef, ef, node, Node::rank);
                }
                if let Some(at) = insert(beam, wide, limit, node, Node::rank) {
                    next = next.min(at);
                    if at < PREFETCH_LINKS
                        && let Some(row) = links.get(usize::from(item))
                    {
                        kernel::prefetch(row.as_flattened());
                    }
                }
            });
        }
    }
}

#[cfg(test)]
mod tests;
