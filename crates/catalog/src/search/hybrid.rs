//! Candidates of a search and their scores: by meaning, by words, or by both in one ranking; for one aim or for several.

use std::ops::Range;

use nearshelf_container::{Absent, Storage};
use nearshelf_index::Query;
use nearshelf_lexical::{WordQuery, Words};

use super::asked::Asked;
use super::candidate::{Parts, Place, Ranked, by_place, rank};
use super::dense::Plan;
use super::fuse::{Scale, WEIGHT};
use super::gathered::Gathered;
use super::matched::NEAREST;
use super::visit::{VisitingRule, rescored};
use crate::catalog::Catalog;
use crate::query::Aim;

/// Ranges of shards that are not here, by the shard's number.
type AbsentRanges = Vec<(usize, Range<usize>)>;

impl<S: Storage> Catalog<S> {
    /// The candidates of a search for `k` hits, ranked.
    pub(super) fn gather(&self, asked: &Asked<'_>, k: usize) -> Gathered {
        let mut plan = self.plan(asked, k);
        let mut pool = rescored(k);
        if asked.target.besides.is_some() {
            // Few items are among the nearest of both.
            pool = pool.max(NEAREST);
            plan.ef = plan.ef.max(NEAREST);
        }
        let mut found = Gathered::default();
        let mut has_words = false;
        for (aim, query) in asked.aims() {
            if let (Some(query), Some(vector)) = (query, &aim.vector) {
                let dense = self.by_meaning(vector, query, &plan, pool);
                found.stats.distances += dense.stats.distances;
                found.stats.probed = found.stats.probed.max(dense.stats.probed);
                found.stats.missing = found.stats.missing.max(dense.stats.missing);
                found.absent.extend(dense.absent);
                found.ranked.extend(dense.ranked);
            }
            if let Some((words, query)) = self.words().zip(aim.words.as_ref()) {
                let by_words = self.by_words(words, query, &plan, pool);
                found.absent.extend(by_words.absent);
                found
                    .ranked
                    .extend(by_words.best.into_iter().map(Ranked::at));
                has_words = true;
            }
            if query.is_none() {
                found.stats.probed = self.attached_shards();
                found.stats.missing = self.manifest().shards.len() - found.stats.probed;
            }
        }
        let is_one = asked.has_one_aim();
        if is_one && !has_words && asked.boosts.is_empty() {
            // By meaning alone: the cosines are the scores.
            return found;
        }
        if !is_one {
            // A cosine is that of one aim.
            for item in &mut found.ranked {
                item.parts = Parts::default();
            }
        }
        by_place(&mut found.ranked);
        found.ranked.dedup_by_key(|item| item.place);
        self.score(asked, &mut found.ranked, &mut found.absent);
        rank(&mut found.ranked);
        found
    }

    fn plan<'a>(&self, asked: &'a Asked<'_>, k: usize) -> Plan<'a> {
        if asked.exact {
            let rule = VisitingRule::new(k, self.manifest().shards.len());
            // Coarse codes order items well enough that the true best are among ten times as many.
            return asked.plan(k, rule, (10 * k).max(100));
        }
        let rule = self.rule(k, asked.options, asked.filter.is_some());
        asked.plan(k, rule, self.ef(k, asked.options).min(self.len()))
    }

    /// Gives items, whose places rise, their scores, lifted by the boosts.
    pub(super) fn score(
        &self,
        asked: &Asked<'_>,
        ranked: &mut [Ranked],
        absent: &mut AbsentRanges,
    ) {
        let mut best = 1.0;
        if asked.has_one_aim() {
            for (aim, query) in asked.aims() {
                best = self.score_by(asked, aim, query, ranked, absent);
            }
        } else {
            self.score_by_all(asked, ranked, absent);
        }
        if !asked.boosts.is_empty() {
            for item in ranked {
                item.score += best * self.boost(item.place, &asked.boosts);
            }
        }
    }

    /// Gives items the scores of several aims: the largest of weight / rank, by the rank in each (see [`crate::recommend`]).
    /// A wish besides is half of the score that they are ranked by; of one aim that is the score.
    fn score_by_all(&self, asked: &Asked<'_>, ranked: &mut [Ranked], absent: &mut AbsentRanges) {
        let interests = asked.target.aims.len();
        let mut scored = |aim: &Aim, query: Option<&Query>| {
            let mut scored: Vec<Ranked> =
                ranked.iter().map(|item| Ranked::at(item.place)).collect();
            self.score_by(asked, aim, query, &mut scored, absent);
            scored
        };
        let besides = asked.aims().nth(interests);
        let besides = besides.map(|(aim, query)| scored(aim, query));
        let by_interest: Vec<(f32, Vec<Ranked>)> = asked
            .aims()
            .take(interests)
            .map(|(aim, query)| (aim.weight, scored(aim, query)))
            .collect();
        for (number, (weight, mut items)) in by_interest.into_iter().enumerate() {
            for (item, wish) in items.iter_mut().zip(besides.iter().flatten()) {
                item.score = (item.score + wish.score) / 2.0;
            }
            if interests == 1 {
                ranked.copy_from_slice(&items);
                return;
            }
            rank(&mut items);
            for (behind, item) in items.iter().enumerate() {
                let score = weight / (behind + 1) as f32;
                let place = ranked.binary_search_by_key(&item.place, |item| item.place);
                let found = place.ok().and_then(|place| ranked.get_mut(place));
                if let Some(found) = found.filter(|found| number == 0 || score > found.score) {
                    (found.score, found.parts) = (score, item.parts);
                }
            }
        }
    }

    /// Gives items their scores by one aim; tells the best score that an item can have.
    fn score_by(
        &self,
        asked: &Asked<'_>,
        aim: &Aim,
        vector: Option<&Query>,
        ranked: &mut [Ranked],
        absent: &mut AbsentRanges,
    ) -> f32 {
        let words = self.words().zip(aim.words.as_ref());
        self.fill(ranked, words, vector, absent);
        let mut scale = self.scale(ranked, asked.options.weight);
        match (words.is_some(), vector.is_some()) {
            (false, _) => scale.share = 0.0,
            (true, false) => scale.share = 1.0,
            (true, true) => {}
        }
        // The scores of several aims are compared with each other.
        let is_scaled = !asked.has_one_aim() || (words.is_some() && vector.is_some());
        let best = match (is_scaled, words) {
            (false, Some(_)) => scale.words,
            _ => 1.0,
        };
        for item in ranked {
            let by_words = item.parts.words.unwrap_or_default();
            let score = match (is_scaled, words) {
                (true, _) => scale.score(item.parts.meaning, by_words),
                (false, Some(_)) => by_words,
                (false, None) => item.parts.meaning.unwrap_or_default(),
            };
            item.score = score + item.parts.named.bonus() * best;
        }
        best
    }

    /// Gives items both of their parts, as far as they are compared by them.
    fn fill(
        &self,
        ranked: &mut [Ranked],
        words: Option<(&Words, &WordQuery)>,
        vector: Option<&Query>,
        absent: &mut AbsentRanges,
    ) {
        if let Some((words, query)) = words {
            let places: Vec<Place> = ranked.iter().map(|item| item.place).collect();
            let scores = self.word_scores(words, query, &places, absent);
            for (item, score) in ranked.iter_mut().zip(scores) {
                item.parts.words = Some(score.score);
                item.parts.coverage = score.coverage;
                item.parts.named = score.named;
            }
        }
        let Some(vector) = vector else { return };
        for item in ranked
            .iter_mut()
            .filter(|item| item.parts.meaning.is_none())
        {
            let (shard, place) = item.place;
            let opened = self.shard(shard as usize);
            let cosine = opened.map(|shard| shard.score(vector, place as usize));
            match cosine.transpose() {
                Ok(cosine) => item.parts.meaning = cosine.flatten(),
                Err(Absent(range)) => absent.push((shard as usize, range)),
            }
        }
    }

    fn scale(&self, ranked: &[Ranked], weight: Option<f32>) -> Scale {
        let most = |part: &dyn Fn(&Parts) -> Option<f32>| {
            let values = ranked.iter().filter_map(|item| part(&item.parts));
            values.fold(0f32, f32::max)
        };
        let words = most(&|parts| parts.words);
        let best = ranked.iter().filter(|item| item.parts.words == Some(words));
        let coverage = best.map(|item| item.parts.coverage).fold(0f32, f32::max);
        let weight = weight.unwrap_or(WEIGHT).clamp(0.0, 1.0);
        Scale {
            share: weight * coverage.min(1.0),
            words,
            nearest: most(&|parts| parts.meaning),
            chance: self.manifest().search.chance.any,
        }
    }
}
