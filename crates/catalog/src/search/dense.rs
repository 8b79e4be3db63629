//! The search by meaning: shards are walked or scanned, the best candidates scored again.

use nearshelf_container::{Absent, Storage};
use nearshelf_index::{Accept, All, Allowed, Candidate, Pool, Query, Scratch, Shard};

use super::visit::{RESCORE_MARGIN, VisitingRule};
use super::{Found, Hit, SearchOptions, SearchStats};
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::filter::Node;
use crate::query::Target;

/// A shard of at most this many items for each candidate kept is compared whole: that costs no more
/// than walking its graph, and misses nothing.
const SCAN_ITEMS_PER_EF: usize = 8;
/// Items that a filter allows up to which they are all compared: a walk that may keep a quarter of a shard, or less, of
/// what it sees would have to see four times as much.
const SCAN_FILTERED: usize = 16_384;

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
        let (mut stats, mut absent, mut items) = (SearchStats::default(), Vec::new(), 0);
        let mut pool = Pool::new(plan.ef);
        let mut scratch = self.scratch().pop().unwrap_or_default();
        let order = self.visits(target.vector(), plan.filter.as_ref());
        for (visited, number) in order.into_iter().enumerate() {
            if !plan.rule.goes_on(visited, items) {
                break;
            }
            let Some(shard) = self.shard(number) else {
                stats.missing += 1;
                continue;
            };
            let mut visit = Visit {
                shard,
                number: number as u32,
                query: &query,
                plan,
                pool: &mut pool,
                scratch: &mut scratch,
            };
            let filter = plan.filter.as_ref();
            let allowed = filter
                .map(|filter| self.allowed(number, filter))
                .transpose();
            match allowed.and_then(|allowed| visit.run(target, allowed.flatten().as_deref())) {
                Ok((distances, allowed)) => {
                    stats.probed += 1;
                    stats.distances += distances;
                    items += allowed;
                }
                Err(Absent(range)) => {
                    stats.missing += 1;
                    absent.push((number, range));
                }
            }
        }
        self.scratch().push(scratch);
        let hits = self.rescored(&pool, &query, plan.k, &mut absent);
        Ok(Found {
            hits,
            stats,
            absent,
        })
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
    fn rescored(
        &self,
        pool: &Pool,
        query: &Query,
        k: usize,
        absent: &mut Vec<(usize, std::ops::Range<usize>)>,
    ) -> Vec<Hit<'_, S>> {
        let candidates = pool.candidates().iter().take(k + k.max(RESCORE_MARGIN));
        let mut hits = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            match self.hit(candidate, query) {
                Ok(hit) => hits.extend(hit),
                Err(Absent(range)) => absent.push((candidate.shard as usize, range)),
            }
        }
        hits.sort_by(|a, b| {
            b.score
                .total_cmp(&a.score)
                .then(a.shard.cmp(&b.shard))
                .then(a.item.cmp(&b.item))
        });
        hits.truncate(k);
        hits
    }

    fn hit(&self, candidate: &Candidate, query: &Query) -> Result<Option<Hit<'_, S>>, Absent> {
        let (shard, item) = (candidate.shard, candidate.item);
        let Some(opened) = self.shard(shard as usize) else {
            return Ok(None);
        };
        let Some(score) = opened.score(query, item as usize)? else {
            return Ok(None);
        };
        Ok(Some(Hit {
            // An id that cannot be read is damage, which `verify` names; the hit still counts.
            id: self.id(shard, item)?.unwrap_or_default(),
            score,
            shard,
            item,
            catalog: self,
        }))
    }
}

/// A search's visit to one shard.
struct Visit<'a, S> {
    shard: &'a Shard<S>,
    number: u32,
    query: &'a Query,
    plan: &'a Plan,
    pool: &'a mut Pool,
    scratch: &'a mut Scratch,
}

impl<S: Storage> Visit<'_, S> {
    /// Vectors compared, and items that may be hits.
    fn run(&mut self, target: &Target, allowed: Option<&Allowed>) -> Result<(u64, usize), Absent> {
        let mut without = target
            .without
            .iter()
            .filter(|(shard, _)| *shard == self.number)
            .peekable();
        if without.peek().is_none() {
            return match allowed {
                Some(allowed) => self.accepting(allowed),
                None => self.accepting(&All),
            };
        }
        let items = self.shard.len();
        let mut allowed = allowed.map_or_else(|| Allowed::all(items), Allowed::clone);
        for &(_, item) in without {
            if let Ok(item) = u16::try_from(item) {
                allowed.remove(item);
            }
        }
        self.accepting(&allowed)
    }

    fn accepting<A: Accept>(&mut self, accept: &A) -> Result<(u64, usize), Absent> {
        let Visit {
            shard,
            number,
            query,
            plan,
            pool,
            scratch,
        } = self;
        let allowed = accept.count(shard.len());
        let least = if plan.filter.is_some() {
            SCAN_FILTERED
        } else {
            0
        };
        let scanned = plan.exact || allowed <= least.max(plan.ef.saturating_mul(SCAN_ITEMS_PER_EF));
        let distances = if allowed == 0 {
            0
        } else if scanned {
            shard.scan(*number, query, accept, pool, scratch)?
        } else {
            // Of what a walk sees, a share may be kept.
            let seen = match plan.filter {
                Some(_) => plan.ef.saturating_mul(shard.len()) / allowed,
                None => plan.ef,
            };
            let walked = shard.walk(*number, query, seen, accept, pool, scratch)?;
            walked.distances
        };
        Ok((distances, allowed))
    }
}
