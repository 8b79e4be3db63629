//! The match set of a query: what is counted by facets and put in order by fields.
//!
//! An item matches by its words where it holds half of the query's or is named by it, and by its meaning where its cosine is
//! above the shelf's cut-off and it is among the nearest [`NEAREST`]: the items that are not weak. A query of nothing matches all
//! items that the filter allows.

use std::ops::Range;
use std::sync::Arc;

use nearshelf_container::{Absent, Storage};
use nearshelf_index::{Allowed, Query, Shard};
use nearshelf_lexical::WordQuery;

use super::asked::Asked;
use super::candidate::Place;
use super::hits::COVERED;
use super::visit::VisitingRule;
use crate::catalog::Catalog;
use crate::columns::Columns;

/// Items that match by meaning at most.
pub(super) const NEAREST: usize = 1000;

/// The items of all attached shards that a query matches.
#[derive(Debug, Default)]
pub(super) struct Matched {
    /// By shard; `None` where it is not attached, or has none.
    sets: Vec<Option<Arc<Allowed>>>,
    /// Whether no item is missing.
    pub exact: bool,
    /// Ranges of shards that are not here, by the shard's number.
    pub absent: Vec<(usize, Range<usize>)>,
}

impl Matched {
    /// The number of items.
    pub fn count(&self) -> u64 {
        let sets = self.sets.iter().flatten();
        sets.map(|set| set.count() as u64).sum()
    }

    /// Places of the items, in rising order.
    pub fn places(&self) -> impl Iterator<Item = Place> + '_ {
        let sets = (0..).zip(&self.sets);
        let sets = sets.filter_map(|(shard, set)| Some((shard, set.as_ref()?)));
        sets.flat_map(|(shard, set)| set.iter().map(move |item| (shard, item.into())))
    }

    /// Reads a column of each shard that holds items of the set; what is not here is noted.
    pub fn read<'a, S: Storage>(
        &'a self,
        catalog: &'a Catalog<S>,
        absent: &mut Vec<(usize, Range<usize>)>,
        mut each: impl FnMut(&'a Shard<S>, &'a Columns, &'a Allowed) -> Result<(), Absent>,
    ) {
        for (number, shard, columns, set) in self.shards(catalog) {
            if let Err(Absent(range)) = each(shard, columns, set) {
                absent.push((number, range));
            }
        }
    }

    /// The shards that hold items of the set, with their columns.
    fn shards<'a, S: Storage>(
        &'a self,
        catalog: &'a Catalog<S>,
    ) -> impl Iterator<Item = (usize, &'a Shard<S>, &'a Columns, &'a Allowed)> {
        let sets = self.sets.iter().enumerate();
        sets.filter_map(|(number, set)| {
            let set = set.as_deref().filter(|set| set.count() > 0)?;
            let (shard, columns) = catalog.columns_of(number)?;
            Some((number, shard, columns, set))
        })
    }
}

impl<S: Storage> Catalog<S> {
    /// The match set of what was asked.
    pub(super) fn matched(&self, asked: &Asked<'_>) -> Matched {
        let mut matched = self.allowed_sets(asked);
        if asked.is_browsing() {
            return matched;
        }
        let shards = &self.manifest().shards;
        let mut found: Vec<Allowed> = shards
            .iter()
            .map(|shard| Allowed::none(shard.items as usize))
            .collect();
        for (aim, query) in asked.aims() {
            if let Some(query) = aim.words.as_ref() {
                self.match_words(query, &mut found, &mut matched);
            }
            if let (Some(query), Some(vector)) = (query, &aim.vector) {
                self.match_meaning(asked, vector, query, &mut found, &mut matched);
            }
        }
        for (set, mut found) in matched.sets.iter_mut().zip(found) {
            if let Some(allowed) = set {
                found.intersect(allowed);
                *set = Some(Arc::new(found));
            }
        }
        matched
    }

    /// The items that may be hits.
    pub(super) fn allowed_sets(&self, asked: &Asked<'_>) -> Matched {
        let shards = &self.manifest().shards;
        let mut matched = Matched {
            sets: Vec::with_capacity(shards.len()),
            exact: true,
            absent: vec![],
        };
        for (number, shard) in shards.iter().enumerate() {
            let filter = asked.filter.as_ref();
            let set = match filter {
                _ if !self.may_match(number, filter) => None,
                _ if self.shard(number).is_none() => {
                    matched.exact = false;
                    None
                }
                filter => match self.allowed_of(number, filter) {
                    Ok(Some(set)) => Some(set),
                    Ok(None) => Some(Arc::new(Allowed::all(shard.items as usize))),
                    Err(Absent(range)) => {
                        matched.exact = false;
                        matched.absent.push((number, range));
                        None
                    }
                },
            };
            matched.sets.push(set);
        }
        for &(shard, item) in &asked.without {
            let set = matched.sets.get_mut(shard as usize);
            if let (Some(Some(set)), Ok(item)) = (set, u16::try_from(item)) {
                Arc::make_mut(set).remove(item);
            }
        }
        matched
    }

    fn match_words(&self, query: &WordQuery, found: &mut [Allowed], matched: &mut Matched) {
        let mut scratch = self.word_scratch().pop().unwrap_or_default();
        for (number, found) in found.iter_mut().enumerate() {
            if matched.sets[number].is_none() {
                continue;
            }
            let covered = self.words_of(number).and_then(|shard| match shard {
                Some(shard) => {
                    shard.covering(query, COVERED, &mut scratch, |item| found.include(item))
                }
                None => Ok(()),
            });
            if let Err(Absent(range)) = covered {
                matched.exact = false;
                matched.absent.push((number, range));
            }
        }
        self.word_scratch().push(scratch);
    }

    fn match_meaning(
        &self,
        asked: &Asked<'_>,
        vector: &[f32],
        query: &Query,
        found: &mut [Allowed],
        matched: &mut Matched,
    ) {
        // Through all shards that are attached.
        let rule = VisitingRule::new(NEAREST, found.len());
        let plan = asked.plan(1, rule, NEAREST.min(self.len()));
        let near = self.near(vector, query, &plan, NEAREST, self.cutoff());
        for (shard, item) in near.places {
            found[shard as usize].include(item);
        }
        if !near.is_all || !near.absent.is_empty() {
            matched.exact = false;
        }
        matched.absent.extend(near.absent);
    }
}
