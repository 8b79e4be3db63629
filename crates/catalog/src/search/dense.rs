//! The search by meaning: shards are walked or scanned, the best candidates scored again.

use nearshelf_container::{Absent, Storage};
use nearshelf_index::{
    Accept, All, AllowedByShard, Breadth, Candidate, Candidates, Query, Scratch, Slices,
};

use super::visit::{VisitingRule, rescored};
use super::{Found, Hit, SearchOptions, SearchStats};
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::filter::Node;
use crate::query::Target;

/// At most this many items for each candidate kept are all compared: that costs no more
/// than walking the graph, and misses nothing.
const SCAN_ITEMS_PER_EF: usize = 8;
/// Items that a filter allows up to which they are all compared: a walk that may keep few of the items that it sees
/// would have to see many.
const SCAN_FILTERED: usize = 16_384;
/// Times that a walk's beam may be longer than `ef` where few items may be hits.
const MAX_WIDENING: usize = 24;

/// A search with nothing left to default.
struct Plan {
    k: usize,
    rule: VisitingRule,
    ef: usize,
    /// Whether every shard is compared whole.
    exact: bool,
    filter: Option<Node>,
}

impl<S: Storage> Catalog<S> {
    /// The items nearest to a target: the nearest shards' graphs are walked, then the best candidates scored by
    /// their fine codes. Equal scores stand in the order of shard and item.
    ///
    /// Fewer than `k` hits come back only when the attached shards hold fewer items that may be hits.
    ///
    /// # Errors
    /// A vector of other dimensions, or with a component that is not finite.
    pub fn search(&self, target: &Target, options: &SearchOptions) -> Result<Found<'_, S>> {
        let k = options.k.min(self.len());
        let filter = self.bound(options)?;
        let plan = Plan {
            k,
            rule: self.rule(k, options, filter.is_some()),
            ef: self.ef(k, options).min(self.len()),
            exact: false,
            filter,
        };
        self.search_shards(target, &plan)
    }

    /// Compares the target with every item of every attached shard that the filter allows: the truth that searches are
    /// measured against. Of the options, `k` and `filter` count.
    ///
    /// # Errors
    /// Those of [`Catalog::search`].
    pub fn search_exact(&self, target: &Target, options: &SearchOptions) -> Result<Found<'_, S>> {
        let k = options.k.min(self.len());
        let plan = Plan {
            k,
            rule: VisitingRule::new(k, self.manifest().shards.len()),
            // Coarse codes order items well enough that the true best are among ten times as many.
            ef: (10 * k).max(100),
            exact: true,
            filter: self.bound(options)?,
        };
        self.search_shards(target, &plan)
    }

    fn search_shards(&self, target: &Target, plan: &Plan) -> Result<Found<'_, S>> {
        let query = self.prepare(target.vector())?;
        let mut reach = self.reach(target, plan);
        let mut scratch = self.scratch().pop().unwrap_or_default();
        // What is left out of the hits may be among the best.
        let ef = plan.ef + target.without.len();
        let found = match &plan.filter {
            None => reach.candidates(&query, plan, ef, &All, &mut scratch),
            Some(_) => reach.candidates(&query, plan, ef, &reach.allowed, &mut scratch),
        };
        self.scratch().push(scratch);
        let candidates = found
            .best
            .iter()
            .filter(|c| target.without.binary_search(&(c.shard, c.item)).is_err());
        let hits = self.rescored(candidates, &query, plan.k, &mut reach.absent);
        Ok(Found {
            hits,
            stats: SearchStats {
                distances: found.distances,
                ..reach.stats
            },
            absent: reach.absent,
        })
    }

    /// The shards that a search goes through, by the visiting rule.
    fn reach(&self, target: &Target, plan: &Plan) -> Reach<'_> {
        let mut reach = Reach {
            slices: Slices::new(self.numbering(), self.manifest().dims as usize),
            allowed: AllowedByShard::default(),
            items: 0,
            stats: SearchStats::default(),
            absent: Vec::new(),
        };
        let order = self.visits(target.vector(), plan.filter.as_ref());
        for (visited, number) in order.into_iter().enumerate() {
            if !plan.rule.goes_on(visited, reach.items) {
                break;
            }
            match self.add_to(&mut reach, number, plan.filter.as_ref()) {
                Ok(true) => reach.stats.probed += 1,
                Ok(false) => reach.stats.missing += 1,
                Err(Absent(range)) => {
                    reach.stats.missing += 1;
                    reach.absent.push((number, range));
                }
            }
        }
        reach
    }

    /// Adds a shard; whether it is attached.
    fn add_to<'a>(
        &'a self,
        reach: &mut Reach<'a>,
        number: usize,
        filter: Option<&Node>,
    ) -> Result<bool, Absent> {
        let Some(shard) = self.shard(number) else {
            return Ok(false);
        };
        let slice = shard.slice()?;
        match filter {
            None => reach.items += shard.len(),
            Some(filter) => {
                if let Some(allowed) = self.allowed(number, filter)? {
                    reach.items += allowed.count();
                    reach.allowed.set(number, allowed);
                }
            }
        }
        reach.slices.add(number, slice);
        Ok(true)
    }

    fn prepare(&self, vector: &[f32]) -> Result<Query> {
        let dims = self.manifest().dims as usize;
        let error = |found: String| Error::Query {
            expected: dims,
            found,
        };
        if vector.len() != dims {
            return Err(error(format!("{} numbers", vector.len())));
        }
        Query::new(vector).ok_or_else(|| error("one that is not finite".into()))
    }

    /// The best `k` of the candidates by all of their codes.
    fn rescored<'c>(
        &self,
        candidates: impl Iterator<Item = &'c Candidate>,
        query: &Query,
        k: usize,
        absent: &mut Vec<(usize, std::ops::Range<usize>)>,
    ) -> Vec<Hit<'_, S>> {
        let candidates: Vec<&Candidate> = candidates.take(rescored(k)).collect();
        for candidate in &candidates {
            if let Some(shard) = self.shard(candidate.shard as usize) {
                shard.prefetch_score(candidate.item as usize);
            }
        }
        let mut scored = Vec::with_capacity(candidates.len());
        for Candidate { shard, item, .. } in candidates {
            let Some(opened) = self.shard(*shard as usize) else {
                continue;
            };
            match opened.score(query, *item as usize) {
                Ok(score) => scored.extend(score.map(|score| (score, *shard, *item))),
                Err(Absent(range)) => absent.push((*shard as usize, range)),
            }
        }
        scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let mut hits = Vec::with_capacity(k);
        for (score, shard, item) in scored {
            if hits.len() == k {
                break;
            }
            match self.id(shard, item) {
                Ok(id) => hits.extend(id.map(|id| Hit {
                    id,
                    score,
                    shard,
                    item,
                    catalog: self,
                })),
                Err(Absent(range)) => absent.push((shard as usize, range)),
            }
        }
        hits
    }
}

/// The part of a shelf that a search goes through.
struct Reach<'a> {
    slices: Slices<'a>,
    /// The items that may be hits, where a filter says so.
    allowed: AllowedByShard,
    /// The number of items that may be hits.
    items: usize,
    stats: SearchStats,
    absent: Vec<(usize, std::ops::Range<usize>)>,
}

impl Reach<'_> {
    /// The best `ef` items by coarse codes: of a walk, or of all where that costs no more.
    fn candidates<A: Accept>(
        &self,
        query: &Query,
        plan: &Plan,
        ef: usize,
        accept: &A,
        scratch: &mut Scratch,
    ) -> Candidates {
        let filtered = if A::ALL { 0 } else { SCAN_FILTERED };
        let few = filtered.max(ef.saturating_mul(SCAN_ITEMS_PER_EF));
        if plan.exact || self.items <= few {
            return self.slices.scan(query, ef, accept, scratch);
        }
        let widening = self.slices.items().div_ceil(self.items);
        let breadth = Breadth {
            ef,
            beam: ef.saturating_mul(widening.min(MAX_WIDENING)),
        };
        let walked = self.slices.walk(query, breadth, accept, scratch);
        if walked.best.len() >= plan.k.min(self.items) {
            return walked;
        }
        // The filter's items are far from the query, or have no way to them.
        let mut scanned = self.slices.scan(query, ef, accept, scratch);
        scanned.distances += walked.distances;
        scanned
    }
}
