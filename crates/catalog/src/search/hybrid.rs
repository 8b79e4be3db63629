//! The search: by meaning, by words, or by both in one ranking.

use std::ops::Range;

use nearshelf_container::{Absent, Storage};
use nearshelf_index::Query;
use nearshelf_lexical::{WordQuery, Words};

use super::candidate::{Parts, Place, Ranked, by_place, rank};
use super::dense::Plan;
use super::fuse::{Scale, WEIGHT};
use super::lexical::ByWords;
use super::visit::{VisitingRule, rescored};
use super::{Found, Hit, SearchOptions, SearchStats};
use crate::catalog::Catalog;
use crate::error::Result;
use crate::query::Target;

impl<S: Storage> Catalog<S> {
    /// The best items for a target: by the cosine of its vector, by its words, or by both, whichever it has. Equal scores
    /// stand in the order of shard and item.
    ///
    /// By a vector, fewer than `k` hits come back only when the attached shards hold fewer items that may be hits.
    ///
    /// # Errors
    /// A vector of other dimensions, or with a component that is not finite; a filter that asks for what the shelf does not
    /// have.
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
        self.answer(target, options, &plan)
    }

    /// Compares the target with every item of every attached shard that the filter allows: the truth that searches are
    /// measured against.
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
        self.answer(target, options, &plan)
    }

    fn answer(
        &self,
        target: &Target,
        options: &SearchOptions,
        plan: &Plan,
    ) -> Result<Found<'_, S>> {
        let vector = target.vector.as_deref();
        let vector = vector.map(|vector| self.prepare(vector)).transpose()?;
        let pool = rescored(plan.k);
        let mut found = Gathered::default();
        if let Some(query) = &vector {
            let dense = self.by_meaning(target, query, plan, pool);
            found.stats = dense.stats;
            found.absent = dense.absent;
            found.ranked = dense.ranked;
        }
        if let Some((words, query)) = self.words().zip(target.words.as_ref()) {
            let by_words = self.by_words(words, query, plan.filter.as_ref(), pool);
            if vector.is_none() {
                found.stats.probed = self.attached_shards();
                found.stats.missing = self.manifest().shards.len() - found.stats.probed;
            }
            self.join(&mut found, by_words, (words, query), vector.as_ref());
            let scale = self.scale(&found.ranked, options);
            for item in &mut found.ranked {
                let words = item.parts.words.unwrap_or_default();
                let (score, best) = match vector {
                    Some(_) => (scale.score(item.parts.meaning, words), 1.0),
                    None => (words, scale.words),
                };
                item.score = score + item.parts.named.bonus() * best;
            }
            rank(&mut found.ranked);
        }
        if options.leave_weak {
            found.ranked.retain(|item| !self.is_weak(&item.parts));
        }
        Ok(Found {
            hits: self.hits(&found.ranked, plan.k, &mut found.absent),
            words: target.words.clone(),
            stats: found.stats,
            absent: found.absent,
        })
    }

    /// Adds what words found to what meaning found, and gives each item both of its parts.
    fn join(
        &self,
        found: &mut Gathered,
        by_words: ByWords,
        (words, query): (&Words, &WordQuery),
        vector: Option<&Query>,
    ) {
        found.absent.extend(by_words.absent);
        let of = |place: Place| Ranked {
            place,
            score: 0.0,
            parts: Parts::default(),
        };
        found.ranked.extend(by_words.best.into_iter().map(of));
        by_place(&mut found.ranked);
        found.ranked.dedup_by_key(|item| item.place);
        let places: Vec<Place> = found.ranked.iter().map(|item| item.place).collect();
        let scores = self.word_scores(words, query, &places, &mut found.absent);
        for (item, score) in found.ranked.iter_mut().zip(scores) {
            item.parts.words = Some(score.score);
            item.parts.coverage = score.coverage;
            item.parts.named = score.named;
            if let (None, Some(vector)) = (item.parts.meaning, vector) {
                let (shard, place) = item.place;
                let cosine = self
                    .shard(shard as usize)
                    .map(|s| s.score(vector, place as usize));
                match cosine.transpose() {
                    Ok(cosine) => item.parts.meaning = cosine.flatten(),
                    Err(Absent(range)) => found.absent.push((shard as usize, range)),
                }
            }
        }
    }

    fn scale(&self, ranked: &[Ranked], options: &SearchOptions) -> Scale {
        let most = |part: &dyn Fn(&Parts) -> Option<f32>| {
            let values = ranked.iter().filter_map(|item| part(&item.parts));
            values.fold(0f32, f32::max)
        };
        let words = most(&|parts| parts.words);
        let best = ranked.iter().filter(|item| item.parts.words == Some(words));
        let coverage = best.map(|item| item.parts.coverage).fold(0f32, f32::max);
        let weight = options.weight.unwrap_or(WEIGHT).clamp(0.0, 1.0);
        Scale {
            share: weight * coverage.min(1.0),
            words,
            nearest: most(&|parts| parts.meaning),
            chance: self.manifest().search.chance.any,
        }
    }

    /// The first `k` items as hits.
    fn hits(
        &self,
        ranked: &[Ranked],
        k: usize,
        absent: &mut Vec<(usize, Range<usize>)>,
    ) -> Vec<Hit<'_, S>> {
        let mut hits = Vec::with_capacity(k);
        for item in ranked {
            if hits.len() == k {
                break;
            }
            let (shard, place) = item.place;
            match self.id(shard, place) {
                Ok(id) => hits.extend(id.map(|id| Hit {
                    id,
                    score: item.score,
                    parts: item.parts,
                    shard,
                    item: place,
                    catalog: self,
                })),
                Err(Absent(range)) => absent.push((shard as usize, range)),
            }
        }
        hits
    }
}

/// The items that a search has gathered.
#[derive(Default)]
struct Gathered {
    ranked: Vec<Ranked>,
    stats: SearchStats,
    absent: Vec<(usize, Range<usize>)>,
}
