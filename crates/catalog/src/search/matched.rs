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

    /// The shards that hold items of the set, with their columns.
    pub fn shards<'a, S: Storage>(
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
        let allowed = std::mem::take(&mut matched.sets);
        matched.sets = vec![None; allowed.len()];
        for (aim, query) in asked.aims() {
            if let Some(query) = aim.words.as_ref() {
                self.match_words(query, &allowed, &mut matched);
            }
            if let (Some(query), Some(vector)) = (query, &aim.vector) {
                self.match_meaning(asked, vector, query, &allowed, &mut matched);
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
                Some(filter) if !filter.may_match(&shard.stats) => None,
                _ if self.shard(number).is_none() => {
                    matched.exact = false;
                    None
                }
                None => Some(Arc::new(Allowed::all(shard.items as usize))),
                Some(filter) => self
                    .allowed(number, filter)
                    .unwrap_or_else(|Absent(range)| {
                        matched.exact = false;
                        matched.absent.push((number, range));
                        None
                    }),
            };
            matched.sets.push(set);
        }
        for &(shard, item) in &asked.without {
            let set = matched
                .sets
                .get_mut(shard as usize)
                .and_then(Option::as_mut);
            if let Some((set, item)) = set.zip(u16::try_from(item).ok()) {
                Arc::make_mut(set).remove(item);
            }
        }
        matched
    }

    fn match_words(
        &self,
        query: &WordQuery,
        allowed: &[Option<Arc<Allowed>>],
        matched: &mut Matched,
    ) {
        let mut scratch = self.word_scratch().pop().unwrap_or_default();
        for (number, allowed) in allowed.iter().enumerate() {
            let Some(allowed) = allowed else { continue };
            let mut found = Allowed::none(self.manifest().shards[number].items as usize);
            let covered = self.words_of(number).and_then(|shard| match shard {
                Some(shard) => shard.covering(query, COVERED, &mut scratch, |item| {
                    let item = u16::try_from(item).ok();
                    if let Some(item) = item.filter(|&item| allowed.contains(item)) {
                        found.insert(item);
                    }
                }),
                None => Ok(()),
            });
            if let Err(Absent(range)) = covered {
                matched.exact = false;
                matched.absent.push((number, range));
            }
            unite(&mut matched.sets[number], found);
        }
        self.word_scratch().push(scratch);
    }

    fn match_meaning(
        &self,
        asked: &Asked<'_>,
        vector: &[f32],
        query: &Query,
        allowed: &[Option<Arc<Allowed>>],
        matched: &mut Matched,
    ) {
        let plan = asked.everywhere(NEAREST);
        let found = self.near(vector, query, &plan, NEAREST, self.cutoff());
        for (shard, item) in found.places {
            let number = shard as usize;
            let is_allowed = |item: &u16| {
                let set = allowed.get(number).and_then(Option::as_ref);
                set.is_some_and(|set| set.contains(*item))
            };
            if let Some(item) = u16::try_from(item).ok().filter(is_allowed) {
                let items = self.manifest().shards[number].items as usize;
                let set =
                    matched.sets[number].get_or_insert_with(|| Arc::new(Allowed::none(items)));
                Arc::make_mut(set).insert(item);
            }
        }
        if !found.is_all || !found.absent.is_empty() {
            matched.exact = false;
        }
        matched.absent.extend(found.absent);
    }
}

fn unite(set: &mut Option<Arc<Allowed>>, found: Allowed) {
    match set {
        Some(set) => Arc::make_mut(set).unite(&found),
        None => *set = Some(Arc::new(found)),
    }
}
