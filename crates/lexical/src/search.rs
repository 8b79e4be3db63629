//! The search of a shard by words: the best items, and the scores of given ones.
//!
//! Words are gone through from the rarest on, and their weights added up by item. Once the words that are left cannot lift
//! an item that holds none of the others into the best `k`, only those that are near enough are looked up in their lists
//! (the quit of MaxScore: Turtle, Flood 1995). Scores are the same either way: each is a sum in the order of the words.

use nearshelf_container::{Absent, Storage};

use crate::bm25::Shares;
use crate::file::Words;
use crate::postings::{Counts, List};
use crate::query::{Group, WordQuery};
use crate::scratch::{Scored, Scratch, Top};
use crate::shard::ShardWords;

/// Room for the rounding of sums, where a bound is compared with a score.
const SLACK: f32 = 1.0001;

/// The score of an item, and what of the query it holds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct WordScore {
    /// Σ idf · share: see [`crate::bm25`].
    pub score: f32,
    /// The share of the query's weight that the item holds, 0 to 1.
    pub coverage: f32,
    /// Whether the query names the item: by an identifier of it, or by a code that few items hold.
    pub is_named: bool,
}

/// A word of the query in a shard.
struct Lists<'a> {
    lists: Vec<(List<'a>, f32)>,
    idf: f32,
    /// The most that it adds to a score.
    bound: f32,
    postings: usize,
}

impl<'a, S: Storage> ShardWords<'a, S> {
    /// Adds the shard's best items to `top`, of those that `accept` says.
    ///
    /// # Errors
    /// Lists that are not here.
    pub fn search(
        &self,
        words: &Words,
        query: &WordQuery,
        shard: u32,
        accept: impl Fn(u32) -> bool,
        top: &mut Top,
        scratch: &mut Scratch,
    ) -> Result<(), Absent> {
        if top.k() == 0 {
            return Ok(());
        }
        let shares = self.shares(words.norms());
        let groups = query.groups.iter().map(|group| self.lists(group));
        let groups: Vec<Lists<'a>> = groups.collect::<Result<_, _>>()?;
        // What the words from each place on can add.
        let mut rest = vec![0.0; groups.len() + 1];
        for (place, group) in groups.iter().enumerate().rev() {
            rest[place] = rest[place + 1] + group.bound;
        }
        scratch.clear(self.items());
        let mut threshold = top.threshold();
        let mut done = 0;
        for (place, group) in groups.iter().enumerate() {
            if rest[place] * SLACK < threshold {
                break;
            }
            group.add(&shares, &accept, scratch);
            done = place + 1;
            let left: usize = groups[done..].iter().map(|group| group.postings).sum();
            if left > 2 * scratch.touched.len() {
                threshold = threshold.max(scratch.kth(top.k()));
            }
        }
        for (place, group) in groups.iter().enumerate().skip(done) {
            let Scratch {
                scores, touched, ..
            } = scratch;
            touched.retain(|&item| {
                let score = &mut scores[item as usize];
                let reaches = (*score + rest[place]) * SLACK >= threshold;
                if !reaches {
                    *score = 0.0;
                }
                reaches
            });
            touched.sort_unstable();
            group.add_to(&shares, touched, scores);
        }
        for &item in &scratch.touched {
            let score = scratch.scores[item as usize];
            if score >= top.threshold() {
                top.push(Scored { score, shard, item });
            }
        }
        Ok(())
    }

    /// The items that an identifier of the query names.
    ///
    /// # Errors
    /// Lists that are not here.
    pub fn named(&self, query: &WordQuery, mut each: impl FnMut(u32)) -> Result<(), Absent> {
        for &term in &query.identifiers {
            if let Some(found) = self.list(term)? {
                found.list.each(|item, _| each(item));
            }
        }
        Ok(())
    }

    /// The scores of some items, which rise.
    ///
    /// # Errors
    /// Lists that are not here.
    pub fn scores(
        &self,
        words: &Words,
        query: &WordQuery,
        items: &[u32],
    ) -> Result<Vec<WordScore>, Absent> {
        let shares = self.shares(words.norms());
        let mut found = vec![WordScore::default(); items.len()];
        let weight = query.weight().max(f32::MIN_POSITIVE);
        for group in &query.groups {
            let mut best = vec![0f32; items.len()];
            self.lists(group)?.shares_of(&shares, items, &mut best);
            for (found, share) in found.iter_mut().zip(best) {
                if share > 0.0 {
                    found.score += group.idf * share;
                    found.is_named |= group.is_name;
                    if !group.is_part {
                        found.coverage += group.idf / weight;
                    }
                }
            }
        }
        for &term in &query.identifiers {
            if let Some(list) = self.list(term)? {
                let mut name = |place: usize, _: Counts<'_>| {
                    found[place].is_named = true;
                    found[place].coverage = 1.0;
                };
                list.list.of_items(items, &mut name);
            }
        }
        Ok(found)
    }

    fn lists(&self, group: &Group) -> Result<Lists<'a>, Absent> {
        let (mut lists, mut largest, mut postings) = (Vec::new(), 0f32, 0);
        for member in &group.members {
            if let Some(found) = self.list(member.term)? {
                largest = largest.max(member.weight * found.largest);
                postings += found.list.len();
                lists.push((found.list, member.weight));
            }
        }
        Ok(Lists {
            lists,
            idf: group.idf,
            bound: group.idf * largest,
            postings,
        })
    }
}

impl Lists<'_> {
    /// Adds the word to the scores of all items that hold it and that `accept` says.
    fn add(&self, shares: &Shares<'_>, accept: &impl Fn(u32) -> bool, scratch: &mut Scratch) {
        let Scratch {
            scores,
            touched,
            merged,
            ..
        } = scratch;
        let mut add = |item: u32, share: f32| {
            let Some(score) = scores.get_mut(item as usize) else {
                return;
            };
            if *score == 0.0 {
                if !accept(item) {
                    return;
                }
                touched.push(item);
            }
            *score += self.idf * share;
        };
        if let [(list, weight)] = &self.lists[..] {
            list.each(|item, counts| add(item, weight * shares.of(item, counts)));
            return;
        }
        merged.clear();
        for (list, weight) in &self.lists {
            list.each(|item, counts| merged.push((item, weight * shares.of(item, counts))));
        }
        // The best share of an item first.
        merged.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        merged.dedup_by_key(|(item, _)| *item);
        merged.iter().for_each(|&(item, share)| add(item, share));
    }

    /// Adds the word to the scores of some items, which rise.
    fn add_to(&self, shares: &Shares<'_>, items: &[u32], scores: &mut [f32]) {
        let mut best = vec![0f32; items.len()];
        self.shares_of(shares, items, &mut best);
        for (&item, share) in items.iter().zip(best) {
            if share > 0.0 {
                scores[item as usize] += self.idf * share;
            }
        }
    }

    /// The best share of the word's terms in each of some items.
    fn shares_of(&self, shares: &Shares<'_>, items: &[u32], best: &mut [f32]) {
        for (list, weight) in &self.lists {
            list.of_items(items, |place, counts| {
                best[place] = best[place].max(weight * shares.of(items[place], counts));
            });
        }
    }
}

impl Scratch {
    fn clear(&mut self, items: usize) {
        for &item in &self.touched {
            self.scores[item as usize] = 0.0;
        }
        self.touched.clear();
        // Scores of a search that stopped at a list that is not here.
        if self.scores.len() != items {
            self.scores.clear();
            self.scores.resize(items, 0.0);
        }
    }

    /// The score of the `k`th best item so far, 0 where there are fewer.
    fn kth(&mut self, k: usize) -> f32 {
        if k == 0 || self.touched.len() < k {
            return 0.0;
        }
        let scores = self.touched.iter().map(|&item| self.scores[item as usize]);
        self.chosen.clear();
        self.chosen.extend(scores);
        let by_fall = |a: &f32, b: &f32| b.total_cmp(a);
        *self.chosen.select_nth_unstable_by(k - 1, by_fall).1
    }
}
