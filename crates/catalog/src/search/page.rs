//! The page of a search: which of the ranked items are its hits.
//!
//! A search for `k` hits looks at a pool of candidates that grows with `k`, and a larger pool may put an item before one that a
//! smaller pool ends with. So that no hit stands on two pages, and none on neither, pages are parts of one list that only
//! grows: the best `k` of a search for `k` hits, then those of a search for [`FIRST`] that are not among them, then those of
//! searches for twice as many each.

use std::collections::{BTreeSet, HashSet};

use nearshelf_container::{Absent, Storage};

use super::asked::Asked;
use super::candidate::{Place, Ranked};
use super::gathered::Gathered;
use super::matched::Matched;
use super::sort::Keyed;
use super::variants::Group;
use super::{Found, Hit, Matches, SearchOptions};
use crate::catalog::Catalog;
use crate::error::Result;
use crate::query::Target;

/// Hits of the second search of a page, and of the first where the order of the hits is not that of the scores alone.
const FIRST: usize = 100;

/// The list of hits, as it grows.
struct List<'a> {
    items: Vec<Ranked>,
    taken: HashSet<Place>,
    groups: BTreeSet<Group<'a>>,
    wanted: usize,
}

impl<'a> List<'a> {
    fn is_full(&self) -> bool {
        self.items.len() >= self.wanted
    }

    /// Adds an item, unless it or one of its group is there.
    fn offer(&mut self, item: Ranked, group: Option<Group<'a>>) {
        let is_new = self.taken.insert(item.place) && group.is_none_or(|g| self.groups.insert(g));
        if is_new && !self.is_full() {
            self.items.push(item);
        }
    }
}

impl<S: Storage> Catalog<S> {
    /// The best items for a target: by the cosine of its vector, by its words, or by both, whichever it has; without either, all
    /// items. Equal scores stand in the order of shard and item.
    ///
    /// By a vector, fewer than `k` hits come back only when the attached shards hold fewer items that may be hits.
    ///
    /// # Errors
    /// A vector of other dimensions, or with a component that is not finite; a filter, or another option, that asks for
    /// what the shelf does not have.
    pub fn search(&self, target: &Target, options: &SearchOptions) -> Result<Found<'_, S>> {
        Ok(self.answer(&self.asked(target, options, false)?))
    }

    /// Compares the target with every item of every attached shard that the filter allows: the truth that searches are
    /// measured against.
    ///
    /// # Errors
    /// Those of [`Catalog::search`].
    pub fn search_exact(&self, target: &Target, options: &SearchOptions) -> Result<Found<'_, S>> {
        Ok(self.answer(&self.asked(target, options, true)?))
    }

    fn answer(&self, asked: &Asked<'_>) -> Found<'_, S> {
        let options = asked.options;
        let by_fields = asked.is_browsing() || !asked.sort.is_empty();
        let matched = (by_fields || !asked.facets.is_empty()).then(|| self.matched(asked));
        let wanted = options.offset.saturating_add(options.k).min(self.len());
        let mut list = List {
            items: Vec::new(),
            taken: HashSet::new(),
            groups: BTreeSet::new(),
            wanted,
        };
        let mut found = Gathered::default();
        self.pin(asked, &mut list, &mut found);
        match matched.as_ref().filter(|_| by_fields) {
            Some(matched) => self.list_by_fields(asked, matched, &mut list, &mut found),
            None => self.list_by_relevance(asked, &mut list, &mut found),
        }
        let first = options.offset.min(list.items.len());
        let hits = self.hits(asked, &list.items[first..], &mut found);
        let mut facets = Vec::with_capacity(asked.facets.len());
        if let Some(matched) = &matched {
            for &(facet, field) in &asked.facets {
                facets.push(self.facet(facet, field, matched, &mut found.absent));
            }
        }
        let matches = matched.as_ref().map(|matched| Matches {
            count: matched.count(),
            exact: matched.exact,
        });
        found
            .absent
            .extend(matched.into_iter().flat_map(|matched| matched.absent));
        Found {
            hits,
            words: asked.aims().find_map(|(aim, _)| aim.words.clone()),
            matches,
            facets,
            stats: found.stats,
            absent: found.absent,
        }
    }

    /// Puts the pinned items first.
    fn pin<'a>(&'a self, asked: &Asked<'_>, list: &mut List<'a>, found: &mut Gathered) {
        if asked.pinned.is_empty() {
            return;
        }
        let allowed = |&(shard, item): &Place| {
            let set = asked
                .filter
                .as_ref()
                .map(|filter| self.allowed(shard as usize, filter));
            let is_hidden = asked.without.binary_search(&(shard, item)).is_ok();
            !is_hidden
                && set.is_none_or(|set| {
                    let set = set.unwrap_or_default();
                    set.is_some_and(|set| set.holds(item))
                })
        };
        let mut places: Vec<Place> = asked.pinned.iter().copied().filter(allowed).collect();
        let order = places.clone();
        places.sort_unstable();
        places.dedup();
        let mut scored: Vec<Ranked> = places.into_iter().map(Ranked::at).collect();
        self.score(asked, &mut scored, &mut found.absent);
        for place in order {
            if let Some(item) = scored.iter().find(|item| item.place == place) {
                list.offer(*item, self.group_of(asked, place));
            }
        }
    }

    fn group_of(&self, asked: &Asked<'_>, place: Place) -> Option<Group<'_>> {
        self.group(place, asked.distinct?)
    }

    /// Goes through searches for ever more hits until the list is full.
    fn list_by_relevance<'a>(
        &'a self,
        asked: &Asked<'_>,
        list: &mut List<'a>,
        found: &mut Gathered,
    ) {
        let options = asked.options;
        let mixes = !asked.boosts.is_empty() || asked.distinct.is_some() || options.diversity > 0.0;
        let mut tier = options.k.min(self.len());
        if mixes {
            tier = tier.max(FIRST);
        }
        loop {
            let mut step = self.gather(asked, tier);
            if options.leave_weak {
                step.ranked.retain(|item| !self.is_weak(&item.parts));
            }
            if options.diversity > 0.0 && list.items.len() < FIRST {
                self.diversify(&mut step, list.wanted.min(FIRST), options.diversity);
            }
            let is_last = step.ranked.len() < tier || tier >= self.len();
            for item in step.ranked.iter().take(tier) {
                list.offer(*item, self.group_of(asked, item.place));
            }
            let stats = &mut found.stats;
            stats.distances += step.stats.distances;
            (stats.probed, stats.missing) = (step.stats.probed, step.stats.missing);
            found.absent.extend(step.absent);
            if list.is_full() || is_last {
                return;
            }
            tier = if tier < FIRST {
                FIRST
            } else {
                tier.saturating_mul(2)
            };
        }
    }

    /// Puts the match set in the order of the fields, then of the scores.
    fn list_by_fields<'a>(
        &'a self,
        asked: &Asked<'_>,
        matched: &Matched,
        list: &mut List<'a>,
        found: &mut Gathered,
    ) {
        if asked.sort.is_empty() && asked.boosts.is_empty() {
            // Nothing is looked for, and no item before another: in the order of their places.
            for place in matched.places() {
                if list.is_full() {
                    break;
                }
                list.offer(Ranked::at(place), self.group_of(asked, place));
            }
            return self.tell_missing(asked, list, found);
        }
        let mut items: Vec<Ranked> = matched.places().map(Ranked::at).collect();
        self.score(asked, &mut items, &mut found.absent);
        let mut keyed = self.keyed(items, &asked.sort);
        let order = |a: &Keyed<'_>, b: &Keyed<'_>| self.compare(a, b, &asked.sort);
        let mut rest = &mut keyed[..];
        // Most pages show few of very many: no more is put in order than is shown, or than one of each group takes.
        let mut step = (4 * list.wanted).max(64);
        while !rest.is_empty() && !list.is_full() {
            if step < rest.len() {
                rest.select_nth_unstable_by(step - 1, order);
            }
            let (first, others) = rest.split_at_mut(step.min(rest.len()));
            first.sort_unstable_by(order);
            for keyed in first {
                list.offer(keyed.item, self.group_of(asked, keyed.item.place));
            }
            rest = others;
            step = step.saturating_mul(2);
        }
        self.tell_missing(asked, list, found);
    }

    /// Notes the shards that an order by fields would have looked at.
    fn tell_missing(&self, asked: &Asked<'_>, list: &List<'_>, found: &mut Gathered) {
        // Without an order, items of the shards that are here are as good as any.
        let needs_all = !asked.sort.is_empty() || !asked.boosts.is_empty() || !list.is_full();
        let is_missing = |&number: &usize| {
            self.shard(number).is_none() && self.may_match(number, asked.filter.as_ref())
        };
        let shards = 0..self.manifest().shards.len();
        found.stats.missing = match needs_all {
            true => shards.filter(is_missing).count(),
            false => 0,
        };
        found.stats.probed = self.attached_shards();
    }

    /// Items as hits.
    fn hits(&self, asked: &Asked<'_>, items: &[Ranked], found: &mut Gathered) -> Vec<Hit<'_, S>> {
        let places: Vec<Place> = items.iter().map(|item| item.place).collect();
        let variants = self.variants(asked, &places, &mut found.absent);
        let mut hits = Vec::with_capacity(items.len());
        for (item, variants) in items.iter().zip(variants) {
            let (shard, place) = item.place;
            match self.id(shard, place) {
                Ok(id) => hits.extend(id.map(|id| Hit {
                    id,
                    score: item.score,
                    parts: item.parts,
                    shard,
                    item: place,
                    variants,
                    catalog: self,
                })),
                Err(Absent(range)) => found.absent.push((shard as usize, range)),
            }
        }
        hits
    }
}
