//! The visiting rule: which shards a query goes to, in which order, and when it has seen enough. Search and
//! prefetch both follow it, so that a page fetches the shards that a search would look at.

use nearshelf_container::Storage;
use nearshelf_index::dot_f32;

use super::options::SearchOptions;
use crate::catalog::Catalog;
use crate::error::Result;
use crate::filter::{Node, bind};
use crate::query::Target;

/// Items that a filter allows and that are seen, for each candidate kept, before a search may end: the nearest shards may
/// hold few of them, and to look at so many costs no more than to walk one graph.
const FILTERED_ITEMS_PER_EF: usize = 8;

/// Candidates beyond `k` that are scored again by their fine codes, at the least: coarse codes are off
/// by some thousandths, and seldom put one of the best ten behind the thirtieth place.
const RESCORE_MARGIN: usize = 20;

/// Candidates that are scored again for `k` hits.
pub(super) fn rescored(k: usize) -> usize {
    k + k.max(RESCORE_MARGIN)
}

/// When a query has seen enough shards.
#[derive(Debug, Clone, Copy)]
pub(super) struct VisitingRule {
    probe: usize,
    k: usize,
    /// Items that may be hits, at the least.
    items: usize,
}

impl VisitingRule {
    /// The rule for `k` hits from at least `probe` shards.
    pub fn new(k: usize, probe: usize) -> Self {
        VisitingRule {
            probe: probe.max(1),
            k,
            items: k,
        }
    }

    /// The rule where a filter allows some of the items.
    #[must_use]
    pub fn filtered(self, ef: usize) -> Self {
        VisitingRule {
            items: self.k.max(ef.saturating_mul(FILTERED_ITEMS_PER_EF)),
            ..self
        }
    }

    /// Whether the next shard is visited, after `visited` shards with `items` items that may be hits.
    pub fn goes_on(self, visited: usize, items: usize) -> bool {
        self.k > 0 && (visited < self.probe || items < self.items)
    }
}

impl<S: Storage> Catalog<S> {
    /// The shards by how near their middle is to a unit vector, nearest first.
    pub fn route(&self, vector: &[f32]) -> Vec<usize> {
        route(self.manifest().shards.iter().map(|s| &s.centroid), vector)
    }

    /// The shards that may hold items of a filter: those that were added, which hold items of all kinds, then the nearest first.
    pub(super) fn visits(&self, vector: &[f32], filter: Option<&Node>) -> Vec<usize> {
        let mut order = self.route(vector);
        order.retain(|&number| self.may_match(number, filter));
        order.sort_by_key(|&number| !self.is_added(number));
        order
    }

    /// Whether an update added the shard: searches look at it besides those that the visiting rule counts.
    pub(super) fn is_added(&self, number: usize) -> bool {
        self.manifest().shards[number].added
    }

    /// Whether a shard may hold items of a filter.
    pub(super) fn may_match(&self, number: usize, filter: Option<&Node>) -> bool {
        let stats = &self.manifest().shards[number].stats;
        filter.is_none_or(|filter| filter.may_match(stats))
    }

    /// The filter of a search over this shelf's columns.
    pub(super) fn bound(&self, options: &SearchOptions) -> Result<Option<Node>> {
        let filter = options.filter.as_ref();
        let filter = filter.map(|filter| bind(filter, &self.manifest().fields));
        filter.transpose()
    }

    /// Candidates that a search for `k` hits keeps.
    pub(super) fn ef(&self, k: usize, options: &SearchOptions) -> usize {
        let ef = options.ef.unwrap_or(self.manifest().search.ef as usize);
        ef.max(rescored(k))
    }

    /// The rule of a search for `k` hits, for itself and for what is fetched ahead of it.
    pub(super) fn rule(&self, k: usize, options: &SearchOptions, filtered: bool) -> VisitingRule {
        let probe = self.manifest().search.probe as usize;
        let rule = VisitingRule::new(k, options.probe.unwrap_or(probe));
        match filtered {
            true => rule.filtered(self.ef(k, options)),
            false => rule,
        }
    }

    /// The shards that a search would look at and that are not here, or lack the part that it reads: the nearest first, then
    /// those that hold most of its rare words. Where a filter allows few of the items of those that come, more are missing
    /// afterwards. An order by fields needs all shards that may hold items.
    ///
    /// # Errors
    /// A filter, or another option, that asks for what the shelf does not have.
    pub fn missing(&self, target: &Target, options: &SearchOptions) -> Result<Vec<usize>> {
        let asked = self.asked(target, options, false)?;
        let shards = &self.manifest().shards;
        let filter = asked.filter.as_ref();
        let may_match = |number: &usize| self.may_match(*number, filter);
        // No more hits than there are items, so that no sum is too large.
        let items = shards.iter().map(|shard| shard.items as usize).sum();
        let k = options.offset.saturating_add(options.k).min(items);
        let mut missing = Vec::new();
        let by_meaning = asked.is_by_meaning();
        let is_new = |missing: &Vec<usize>, number: usize| {
            !self.is_here(number, by_meaning) && !missing.contains(&number)
        };
        if !asked.sort.is_empty() || (asked.is_browsing() && !asked.boosts.is_empty()) {
            let all = (0..shards.len()).filter(may_match);
            return Ok(all.filter(|&number| is_new(&missing, number)).collect());
        }
        let rule = self.rule(k, options, filter.is_some());
        let mut visit = |order: Vec<usize>, rule: VisitingRule| {
            let (mut items, mut visited) = (0, 0);
            for number in order {
                if !rule.goes_on(visited, items) {
                    break;
                }
                visited += usize::from(!self.is_added(number));
                items += self.allowed_items(number, filter);
                if is_new(&missing, number) {
                    missing.push(number);
                }
            }
        };
        if asked.is_browsing() {
            visit(
                (0..shards.len()).filter(may_match).collect(),
                VisitingRule::new(k, 1),
            );
        }
        for (aim, _) in asked.aims() {
            if let Some(vector) = &aim.vector {
                visit(self.visits(vector, filter), rule);
            }
        }
        for (aim, _) in asked.aims() {
            let Some((words, query)) = self.words().zip(aim.words.as_ref()) else {
                continue;
            };
            let mut holding = query.shards(words, shards.len(), rule.probe.max(1));
            if !by_meaning {
                // Any shard holds words that are everywhere.
                let any = (0..shards.len()).take(usize::from(holding.is_empty()));
                let added = (0..shards.len()).filter(|&number| self.is_added(number));
                holding.extend(any.chain(added));
            }
            for number in holding.into_iter().filter(may_match) {
                if k > 0 && is_new(&missing, number) {
                    missing.push(number);
                }
            }
        }
        Ok(missing)
    }

    /// Whether a search finds a shard's items: it is attached, and where vectors are compared they have come.
    pub(super) fn is_here(&self, number: usize, by_meaning: bool) -> bool {
        let shard = self.shard(number);
        shard.is_some_and(|shard| !by_meaning || shard.slice().is_ok())
    }

    /// Items of a shard that a filter allows, as far as that is known.
    fn allowed_items(&self, number: usize, filter: Option<&Node>) -> usize {
        let set = filter.and_then(|filter| self.allowed(number, filter).ok().flatten());
        set.map_or_else(|| self.living_items(number), |set| set.count())
    }
}

/// The order in which a query goes to shards with these unit centroids, nearest first.
pub fn route<'a>(centroids: impl Iterator<Item = &'a Vec<f32>>, vector: &[f32]) -> Vec<usize> {
    let scores: Vec<f32> = centroids
        .map(|centroid| dot_f32(centroid, vector))
        .collect();
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    order
}
