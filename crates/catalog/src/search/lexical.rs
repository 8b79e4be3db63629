//! The search by words: the best items of all attached shards, and the words of given items.

use std::ops::Range;

use nearshelf_container::{Absent, Storage};
use nearshelf_lexical::{Scored, ShardWords, Top, WordQuery, WordScore, Words};

use super::candidate::Place;
use super::dense::Plan;
use crate::catalog::Catalog;

/// The items that a search by words found.
#[derive(Debug, Default)]
pub(super) struct ByWords {
    /// Places of the best items, best first, and of those that the query names.
    pub best: Vec<Place>,
    /// Ranges of shards that are not here, by the shard's number.
    pub absent: Vec<(usize, Range<usize>)>,
}

impl<S: Storage> Catalog<S> {
    /// The best `pool` items by words, and those that the query names.
    pub(super) fn by_words(
        &self,
        words: &Words,
        query: &WordQuery,
        plan: &Plan<'_>,
        pool: usize,
    ) -> ByWords {
        let mut found = ByWords::default();
        if query.is_empty() || pool == 0 {
            return found;
        }
        let mut top = Top::new(pool);
        let mut named = Vec::new();
        let mut scratch = self.word_scratch().pop().unwrap_or_default();
        for number in 0..self.manifest().shards.len() {
            let mut search = |shard: ShardWords<'_, S>| {
                let allowed = self.allowed_of(number, plan.filter)?;
                let at = number as u32;
                let accept = |item: u32| {
                    let set = allowed.as_ref();
                    set.is_none_or(|set| set.holds(item))
                        && (plan.without.is_empty()
                            || plan.without.binary_search(&(at, item)).is_err())
                };
                shard.named(query, |item| {
                    if accept(item) && named.len() < pool {
                        named.push((at, item));
                    }
                })?;
                shard.search(words, query, at, accept, &mut top, &mut scratch)
            };
            if !self.is_here(number, plan.by_meaning) {
                continue;
            }
            let Some(shard) = self.words_of(number).transpose() else {
                continue;
            };
            if let Err(Absent(range)) = shard.and_then(&mut search) {
                found.absent.push((number, range));
            }
        }
        self.word_scratch().push(scratch);
        let best = top.into_sorted().into_iter();
        found.best = best
            .map(|Scored { shard, item, .. }| (shard, item))
            .collect();
        found.best.extend(named);
        found
    }

    /// The words of some items, whose places rise.
    pub(super) fn word_scores(
        &self,
        words: &Words,
        query: &WordQuery,
        places: &[Place],
        absent: &mut Vec<(usize, Range<usize>)>,
    ) -> Vec<WordScore> {
        let mut scores = Vec::with_capacity(places.len());
        for of_shard in places.chunk_by(|a, b| a.0 == b.0) {
            let number = of_shard[0].0 as usize;
            let items: Vec<u32> = of_shard.iter().map(|(_, item)| *item).collect();
            let read = self.words_of(number).and_then(|shard| match shard {
                Some(shard) => shard.scores(words, query, &items),
                None => Ok(vec![WordScore::default(); items.len()]),
            });
            match read {
                Ok(found) => scores.extend(found),
                Err(Absent(range)) => {
                    absent.push((number, range));
                    scores.resize(scores.len() + items.len(), WordScore::default());
                }
            }
        }
        scores
    }
}
