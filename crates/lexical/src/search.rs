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
use crate::short;

/// Items wanted up to which the score of the last of them is looked for: to find it takes longer the more they are.
const MAX_KTH: usize = 256;
/// Room for the rounding of sums, where a bound is compared with a score.
const SLACK: f32 = 1.0001;

/// The score of an item, and what of the query it holds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct WordScore {
    /// BM25F: Σ idf · share.
    pub score: f32,
    /// The share of the query's weight that the item holds, 0 to 1.
    pub coverage: f32,
    /// Whether the query names the item.
    pub named: Naming,
}

/// Whether a query names an item: such items come before all others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Naming {
    /// It does not.
    #[default]
    None,
    /// By a code in the item's texts that few items hold.
    Code,
    /// By an identifier of the item.
    Identifier,
}

impl Naming {
    /// The number of best scores that an item has on top of its own: none, one or two.
    pub fn bonus(self) -> f32 {
        match self {
            Naming::None => 0.0,
            Naming::Code => 1.0,
            Naming::Identifier => 2.0,
        }
    }
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

    /// Tells the items that hold at least the share `least` of the query's weight, or that the query names; each once, in rising
    /// order.
    ///
    /// # Errors
    /// Lists that are not here.
    pub fn covering(
        &self,
        query: &WordQuery,
        least: f32,
        scratch: &mut Scratch,
        mut each: impl FnMut(u32),
    ) -> Result<(), Absent> {
        scratch.clear(self.items());
        // So that sums of all words reach a share of 1 however they are rounded.
        let wanted = least * query.weight() / SLACK;
        let whole = query.groups.iter().filter(|group| !group.is_part);
        let mut rest: f32 = whole.clone().map(|group| group.idf).sum();
        for group in whole {
            let lists = self.lists(group)?;
            if rest >= wanted {
                lists.cover(scratch, self.items());
            } else {
                // An item that holds none of the words before lacks too much.
                scratch.touched.sort_unstable();
                let touched = std::mem::take(&mut scratch.touched);
                lists.cover_some(&touched, &mut scratch.scores);
                scratch.touched = touched;
            }
            rest -= group.idf;
        }
        let mut found: Vec<u32> = Vec::new();
        for &item in &scratch.touched {
            if scratch.scores[item as usize] >= wanted {
                found.push(item);
            }
        }
        for group in query.groups.iter().filter(|group| group.is_name) {
            for (list, _) in self.lists(group)?.lists {
                list.each(|item, _| found.push(item));
            }
        }
        self.named(query, |item| found.push(item))?;
        found.sort_unstable();
        found.dedup();
        for item in found
            .into_iter()
            .filter(|&item| (item as usize) < self.items())
        {
            each(item);
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
                    if group.is_name {
                        found.named = found.named.max(Naming::Code);
                    }
                    if !group.is_part {
                        found.coverage += group.idf / weight;
                    }
                }
            }
        }
        for &term in &query.identifiers {
            if let Some(list) = self.list(term)? {
                let mut name = |place: usize, _: Counts<'_>| {
                    found[place].named = Naming::Identifier;
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
        if let [(list, weight)] = &self.lists[..] {
            list.each(|item, counts| {
                scratch.add(item, self.idf * (weight * shares.of(item, counts)), accept);
            });
            return;
        }
        // The best share of each item that holds one of the terms.
        let mut best = std::mem::take(&mut scratch.best);
        best.resize(scratch.scores.len(), 0.0);
        let mut items = std::mem::take(&mut scratch.items);
        for (list, weight) in &self.lists {
            list.each(|item, counts| {
                let Some(before) = best.get_mut(item as usize) else {
                    return;
                };
                if *before == 0.0 {
                    items.push(item);
                }
                *before = before.max(weight * shares.of(item, counts));
            });
        }
        for &item in &items {
            let share = std::mem::take(&mut best[item as usize]);
            scratch.add(item, self.idf * share, accept);
        }
        items.clear();
        (scratch.best, scratch.items) = (best, items);
    }

    /// Adds the word's weight once to all items that hold it.
    fn cover(&self, scratch: &mut Scratch, items: usize) {
        let mut best = std::mem::take(&mut scratch.best);
        best.resize(best.len().max(items), 0.0);
        let mut held = std::mem::take(&mut scratch.items);
        for (list, _) in &self.lists {
            list.each(|item, _| {
                if let Some(seen) = best.get_mut(item as usize).filter(|seen| **seen == 0.0) {
                    *seen = 1.0;
                    held.push(item);
                }
            });
        }
        for &item in &held {
            best[item as usize] = 0.0;
            scratch.add(item, self.idf, &|_| true);
        }
        held.clear();
        (scratch.best, scratch.items) = (best, held);
    }

    /// Adds the word's weight once to those of some items, which rise, that hold it.
    fn cover_some(&self, items: &[u32], scores: &mut [f32]) {
        let mut held = vec![false; items.len()];
        for (list, _) in &self.lists {
            list.of_items(items, |place, _| held[place] = true);
        }
        for (&item, _) in items.iter().zip(held).filter(|(_, held)| *held) {
            scores[item as usize] += self.idf;
        }
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
        // Only ever longer: shards differ in size, and to fill it anew for each takes longer than many a search.
        if self.scores.len() < items {
            self.scores.resize(items, 0.0);
        }
    }

    /// Adds to the score of an item, where `accept` says that it may be a hit.
    #[inline]
    fn add(&mut self, item: u32, weight: f32, accept: &impl Fn(u32) -> bool) {
        let Some(score) = self.scores.get_mut(item as usize) else {
            return;
        };
        if *score == 0.0 {
            if !accept(item) {
                return;
            }
            self.touched.push(item);
        }
        *score += weight;
    }

    /// The score of the `k`th best item so far, 0 where there are fewer.
    fn kth(&mut self, k: usize) -> f32 {
        if k == 0 || k > MAX_KTH || self.touched.len() < k {
            return 0.0;
        }
        let mut best = Vec::with_capacity(k.min(self.touched.len()));
        for &item in &self.touched {
            short::keep(&mut best, k, self.scores[item as usize], |a, b| a > b);
        }
        best.last().copied().unwrap_or_default()
    }
}
