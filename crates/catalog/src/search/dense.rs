//! The search by meaning: shards are walked or scanned, the best candidates scored again.

use nearshelf_container::{Absent, Storage};
use nearshelf_index::{Accept, All, AllowedByShard, Candidate, Candidates, Query, Scratch, Slices};

use super::candidate::{Parts, Place, Ranked, rank};
use super::gathered::SearchStats;
use super::visit::VisitingRule;
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::filter::Node;

/// At most this many items for each candidate kept are all compared: that costs no more
/// than walking the graph, and misses nothing.
const SCAN_ITEMS_PER_EF: usize = 8;
/// Items that a filter allows, for each candidate kept, up to which comparing all costs no more than a walk through its graph.
const SCAN_FILTERED_PER_EF: usize = 32;
/// Items that a filter allows up to which they are all compared where it allows few of those near the query: a walk that may keep
/// few of the items that it sees misses some.
const SCAN_FILTERED: usize = 40_000;
/// The share of items near the query from which on a filter allows many of them.
const MANY_NEAR: f64 = 0.3;
/// Candidates that are kept for an item that is gone, beside one for an item that lives: the last ones of a walk matter least.
const GONE_EF: f64 = 0.25;
/// Candidates that a line from coarse scores to cosines is laid through.
const SAMPLES: usize = 32;
/// Distance from the cut-off up to which a cosine that was read off that line is computed: several times what coarse codes
/// are off by.
const DOUBT: f64 = 0.04;

/// A search with nothing left to default.
pub(super) struct Plan<'a> {
    pub k: usize,
    pub rule: VisitingRule,
    pub ef: usize,
    /// Whether every shard is compared whole.
    pub exact: bool,
    /// Whether vectors are compared: a shard of which the words alone are here is then passed over.
    pub by_meaning: bool,
    pub filter: Option<&'a Node>,
    /// Items that are no hits, in rising order.
    pub without: &'a [Place],
}

/// The items that a search by meaning found.
pub(super) struct ByMeaning {
    /// The best items, best first.
    pub ranked: Vec<Ranked>,
    pub stats: SearchStats,
    pub absent: Vec<(usize, std::ops::Range<usize>)>,
}

impl<S: Storage> Catalog<S> {
    /// The `pool` items nearest to a unit vector: the nearest shards' graphs are walked, then the best candidates scored by
    /// their fine codes. Equal scores stand in the order of shard and item.
    pub(super) fn by_meaning(
        &self,
        vector: &[f32],
        query: &Query,
        plan: &Plan<'_>,
        pool: usize,
    ) -> ByMeaning {
        let mut reach = self.reach(vector, plan);
        let found = self.candidates(&reach, query, plan);
        let candidates = found
            .best
            .iter()
            .filter(|c| plan.without.binary_search(&(c.shard, c.item)).is_err());
        let candidates: Vec<&Candidate> = candidates.take(pool).collect();
        let ranked = self.rescored(&candidates, query, &mut reach.absent);
        ByMeaning {
            ranked,
            stats: SearchStats {
                distances: found.distances,
                ..reach.stats
            },
            absent: reach.absent,
        }
    }

    /// The items among the nearest `most` whose cosine is `cutoff` or more.
    ///
    /// Few of them are scored by their fine codes: the others' coarse ones leave no doubt. A line through some of both tells
    /// the cosine that a coarse score stands for.
    pub(super) fn near(
        &self,
        vector: &[f32],
        query: &Query,
        plan: &Plan<'_>,
        most: usize,
        cutoff: f32,
    ) -> Near {
        let mut reach = self.reach(vector, plan);
        let mut found = self.candidates(&reach, query, plan).best;
        found.truncate(most);
        let mut cosine = |candidate: &Candidate| {
            let shard = self.shard(candidate.shard as usize)?;
            match shard.score(query, candidate.item as usize) {
                Ok(cosine) => cosine,
                Err(Absent(range)) => {
                    reach.absent.push((candidate.shard as usize, range));
                    None
                }
            }
        };
        let step = found.len().div_ceil(SAMPLES).max(1);
        let samples = found.iter().step_by(step);
        let samples = samples.filter_map(|c| Some((f64::from(c.score), f64::from(cosine(c)?))));
        let line = line(&samples.collect::<Vec<_>>());
        let mut places = Vec::new();
        // Beyond the last, coarse scores say nothing of an item whose cosine is near the cut-off.
        let mut ends_below = found.len() < most;
        for candidate in &found {
            let estimate = line.0 + line.1 * f64::from(candidate.score);
            let distance = estimate - f64::from(cutoff);
            ends_below |= distance < -DOUBT;
            let is_near = match distance.abs() > DOUBT {
                true => distance > 0.0,
                false => cosine(candidate).is_some_and(|cosine| cosine >= cutoff),
            };
            if is_near {
                places.push((candidate.shard, candidate.item));
            }
        }
        Near {
            places,
            is_all: ends_below,
            absent: reach.absent,
        }
    }

    fn candidates(&self, reach: &Reach<'_>, query: &Query, plan: &Plan<'_>) -> Candidates {
        let mut scratch = self.scratch().pop().unwrap_or_default();
        // What is left out of the hits may be among the best.
        let ef = plan.ef + plan.without.len();
        let found = match plan.filter {
            None if reach.gone > 0 => reach.living(query, plan, ef, &mut scratch),
            None => reach.candidates(query, plan, ef, &All, &mut scratch),
            Some(_) => reach.candidates(query, plan, ef, &reach.allowed, &mut scratch),
        };
        self.scratch().push(scratch);
        found
    }

    /// The shards that a search goes through, by the visiting rule.
    fn reach(&self, vector: &[f32], plan: &Plan<'_>) -> Reach<'_> {
        let mut reach = Reach {
            slices: Slices::new(self.numbering(), self.manifest().dims as usize)
                .with_added(self.added()),
            allowed: AllowedByShard::default(),
            items: 0,
            gone: 0,
            stats: SearchStats::default(),
            absent: Vec::new(),
        };
        let mut visited = 0;
        for number in self.visits(vector, plan.filter) {
            if !plan.rule.goes_on(visited, reach.items) {
                break;
            }
            visited += usize::from(!self.is_added(number));
            match self.add_to(&mut reach, number, plan.filter) {
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
        let living = self.living_items(number);
        reach.gone += shard.len() - living.min(shard.len());
        match self.allowed_of(number, filter)? {
            None => reach.items += living,
            Some(allowed) => {
                reach.items += allowed.count();
                reach.allowed.set(number, allowed);
            }
        }
        reach.slices.add(number, slice);
        Ok(true)
    }

    /// A vector as it is compared.
    ///
    /// # Errors
    /// A vector of other dimensions, or with a component that is not finite.
    pub(super) fn prepare(&self, vector: &[f32]) -> Result<Query> {
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

    /// The candidates by all of their codes, best first.
    fn rescored(
        &self,
        candidates: &[&Candidate],
        query: &Query,
        absent: &mut Vec<(usize, std::ops::Range<usize>)>,
    ) -> Vec<Ranked> {
        for candidate in candidates {
            if let Some(shard) = self.shard(candidate.shard as usize) {
                shard.prefetch_score(candidate.item as usize);
            }
        }
        let mut ranked = Vec::with_capacity(candidates.len());
        for Candidate { shard, item, .. } in candidates {
            let Some(opened) = self.shard(*shard as usize) else {
                continue;
            };
            match opened.score(query, *item as usize) {
                Ok(score) => ranked.extend(score.map(|score| Ranked {
                    place: (*shard, *item),
                    score,
                    parts: Parts {
                        meaning: Some(score),
                        ..Parts::default()
                    },
                })),
                Err(Absent(range)) => absent.push((*shard as usize, range)),
            }
        }
        rank(&mut ranked);
        ranked
    }
}

/// The items that are near in meaning.
pub(super) struct Near {
    pub places: Vec<Place>,
    /// Whether there are no more of them.
    pub is_all: bool,
    pub absent: Vec<(usize, std::ops::Range<usize>)>,
}

/// The line y = a + b x with the least squared error; flat where all x are the same.
fn line(points: &[(f64, f64)]) -> (f64, f64) {
    let count = points.len().max(1) as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let squares: f64 = points.iter().map(|p| (p.0 - x) * (p.0 - x)).sum();
    let products: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let slope = if squares > 0.0 {
        products / squares
    } else {
        0.0
    };
    (y - slope * x, slope)
}

/// The part of a shelf that a search goes through.
struct Reach<'a> {
    slices: Slices<'a>,
    /// The items that may be hits, where a filter says so.
    allowed: AllowedByShard,
    /// The number of items that may be hits.
    items: usize,
    /// The number of items that are gone.
    gone: usize,
    stats: SearchStats,
    absent: Vec<(usize, std::ops::Range<usize>)>,
}

impl Reach<'_> {
    /// The best `ef` items that are not gone. Those that are stay in the graph, and walks go through them: more candidates are kept
    /// for them, and twice as many where most of what is near is gone.
    fn living(
        &self,
        query: &Query,
        plan: &Plan<'_>,
        ef: usize,
        scratch: &mut Scratch,
    ) -> Candidates {
        let all = self.items + self.gone;
        let more = (ef as f64 * GONE_EF * self.gone as f64 / self.items.max(1) as f64) as usize;
        let mut wide = ef.saturating_add(more);
        let wanted = plan.k.max(ef / 2).min(self.items);
        let mut distances = 0;
        while !plan.exact && wide.saturating_mul(SCAN_ITEMS_PER_EF) < all {
            let mut found = self.slices.walk(query, wide, &All, scratch);
            let lives = |c: &Candidate| self.allowed.accepts(c.shard as usize, c.item as u16);
            found.best.retain(lives);
            distances += found.distances;
            if found.best.len() >= wanted {
                found.best.truncate(ef);
                return Candidates { distances, ..found };
            }
            wide *= 2;
        }
        let mut scanned = self.slices.scan(query, ef, &self.allowed, scratch);
        scanned.distances += distances;
        scanned
    }

    /// The best `ef` items by coarse codes: of a walk, or of all where that costs no more.
    fn candidates<A: Accept>(
        &self,
        query: &Query,
        plan: &Plan<'_>,
        ef: usize,
        accept: &A,
        scratch: &mut Scratch,
    ) -> Candidates {
        let is_sparse = |scratch: &mut Scratch| {
            !A::ALL
                && self.items <= SCAN_FILTERED
                && self.slices.share_near(query, accept, scratch) < MANY_NEAR
        };
        let per_ef = match A::ALL {
            true => SCAN_ITEMS_PER_EF,
            false => SCAN_FILTERED_PER_EF,
        };
        if plan.exact || self.items <= ef.saturating_mul(per_ef) || is_sparse(scratch) {
            return self.slices.scan(query, ef, accept, scratch);
        }
        let walked = self.slices.walk(query, ef, accept, scratch);
        if !walked.is_behind && walked.best.len() >= plan.k.min(self.items) {
            return walked;
        }
        // The filter's items are far from the query, or have no way to them.
        let mut scanned = self.slices.scan(query, ef, accept, scratch);
        scanned.distances += walked.distances;
        scanned
    }
}
