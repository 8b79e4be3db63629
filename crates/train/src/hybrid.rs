//! A catalog as its own teacher: queries are drawn from the items' texts, and the model learns to rank as
//! it did before the stage, together with BM25. No judgement, no log and no shopper is needed.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use nearshelf_eval::Bm25;
use rand::seq::{IteratorRandom, index};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::batch::{Batch, Collector};
use crate::bert::{Into, Matrix, multiply};
use crate::error::Result;
use crate::examples::Texts;
use crate::losses::Mask;
use crate::recipe::{Loss, MaxTokens, Stage};
use crate::tower::Tower;

/// Items that have a shared word, at least: it says what something is, where a rarer one says which.
const SHARED_BY: usize = 5;
/// Hits of BM25 that have a score; the rest counts as 0.
const LEXICAL_DEPTH: usize = 300;
/// The first hits of the teacher are always compared, those down to this rank sometimes.
const DEPTH: usize = 100;

/// A catalog with the teacher's view of it.
pub(crate) struct Teacher<'a> {
    items: Texts,
    /// Counted when the first query asks for them.
    shared: OnceLock<HashSet<String>>,
    bm25: Bm25,
    vectors: Vec<f32>,
    before: &'a Tower,
    max_tokens: MaxTokens,
}

/// A word as a shopper types it.
fn typed(word: &str) -> String {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    word.to_lowercase()
}

/// The words that at least [`SHARED_BY`] of the texts have.
fn shared_words(texts: &[String]) -> HashSet<String> {
    let mut items: HashMap<String, usize> = HashMap::new();
    for text in texts {
        let words: HashSet<String> = text.split_whitespace().map(typed).collect();
        for word in words {
            *items.entry(word).or_default() += 1;
        }
    }
    items.retain(|word, items| *items >= SHARED_BY && !word.is_empty());
    items.into_keys().collect()
}

/// A query as a shopper might type it, of an item's words: at most `most` of them in their order, next to
/// each other or not.
pub(crate) fn draw_query(words: &[&str], most: usize, rng: &mut ChaCha8Rng) -> String {
    let count = rng.random_range(1..=most).min(words.len());
    let mut places: Vec<usize> = if rng.random_bool(0.5) {
        let start = rng.random_range(0..=words.len() - count);
        (start..start + count).collect()
    } else {
        (0..words.len()).choose_multiple(rng, count)
    };
    places.sort_unstable();
    let words: Vec<&str> = places.iter().map(|&place| words[place]).collect();
    let query = words.join(" ").to_lowercase();
    query
        .trim_matches(|c: char| !c.is_alphanumeric())
        .to_owned()
}

impl<'a> Teacher<'a> {
    /// Encodes and indexes a catalog's texts.
    pub fn new(texts: &[String], before: &'a Tower, max_tokens: MaxTokens) -> Result<Self> {
        let tokens: Vec<Vec<u32>> = texts
            .iter()
            .map(|text| before.tokenize(text, max_tokens.item))
            .collect::<Result<_>>()?;
        let vectors = before.encode(&tokens)?;
        Ok(Teacher {
            shared: OnceLock::new(),
            bm25: Bm25::new(texts),
            items: Texts::new(texts.to_vec(), tokens),
            vectors,
            before,
            max_tokens,
        })
    }

    /// Items.
    pub fn len(&self) -> usize {
        self.items.texts.len()
    }

    /// A batch of drawn queries, each with items that the teacher ranks high.
    pub fn draw(&self, stage: &Stage, seed: u64) -> Result<Batch> {
        let Loss::Hybrid {
            teacher_scale,
            lexical,
            words,
            shared,
            ..
        } = stage.loss
        else {
            unreachable!("a teacher is made for this loss alone")
        };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let queries: Vec<String> = std::iter::repeat_with(|| self.query(words, shared, &mut rng))
            .filter(|query| !query.is_empty())
            .take(stage.batch)
            .collect();
        let tokens: Vec<Vec<u32>> = queries
            .iter()
            .map(|query| self.before.tokenize(query, self.max_tokens.query))
            .collect::<Result<_>>()?;
        let count = self.len();
        let mut scores = self.dense(&tokens)?;
        let dense_best = all_best(&scores, count);
        self.add_lexical(&mut scores, &queries, lexical as f32);
        let hybrid_best = all_best(&scores, count);

        let mut collector = Collector::default();
        let mut places = Vec::new();
        let mut positives = Vec::new();
        for (number, tokens) in tokens.iter().enumerate() {
            places.push(collector.query(tokens));
            let hybrid = &hybrid_best[number];
            positives.push(collector.item(hybrid[0], &self.items));
            // Half of them the best, the rest from further down and from what the model alone would find.
            let top = stage.items.div_ceil(2).min(hybrid.len());
            for &item in &hybrid[..top] {
                collector.item(item, &self.items);
            }
            for list in [&hybrid[top..], &dense_best[number]] {
                let some = (stage.items / 4).min(list.len());
                for place in index::sample(&mut rng, list.len(), some) {
                    collector.item(list[place], &self.items);
                }
            }
        }
        let mut columns: Vec<(usize, usize)> = collector
            .columns()
            .iter()
            .map(|(item, column)| (*column, *item))
            .collect();
        columns.sort_unstable();
        let scaled = |row: &[f32], item: usize| row[item] * teacher_scale as f32;
        let teacher = scores
            .chunks_exact(count)
            .flat_map(|row| columns.iter().map(move |(_, item)| scaled(row, *item)))
            .collect();
        Ok(Batch {
            kept: Mask::all(places.len(), collector.items.len()),
            groups: vec![vec![]; places.len()],
            texts: collector.texts,
            queries: places,
            items: collector.items,
            positives,
            teacher: Some(teacher),
        })
    }

    /// A query of at most `words` words of some item, with probability `shared` of shared words alone.
    fn query(&self, words: usize, shared: f64, rng: &mut ChaCha8Rng) -> String {
        let item = rng.random_range(0..self.len());
        let mut of_item: Vec<&str> = self.items.texts[item].split_whitespace().collect();
        // No draw without a share: recipes that have none keep their queries.
        if shared > 0.0 && rng.random_bool(shared) {
            let known = self.shared.get_or_init(|| shared_words(&self.items.texts));
            let shared = |word: &&str| known.contains(&typed(word));
            if of_item.iter().any(shared) {
                of_item.retain(shared);
            }
        }
        draw_query(&of_item, words, rng)
    }

    /// The model's scores of all items, `[queries][items]`.
    fn dense(&self, tokens: &[Vec<u32>]) -> Result<Vec<f32>> {
        let (dims, count) = (self.before.dims(), self.len());
        let vectors = self.before.encode(tokens)?;
        let mut scores = vec![0f32; tokens.len() * count];
        multiply(
            Matrix::new(&vectors, tokens.len(), dims),
            Matrix::new(&self.vectors, count, dims).t(),
            &mut scores,
            count,
            Into::Replace,
        );
        Ok(scores)
    }

    /// `scores ÷ their largest + share × BM25 ÷ its largest`, for each query.
    fn add_lexical(&self, scores: &mut [f32], queries: &[String], share: f32) {
        let rows = scores.par_chunks_mut(self.len()).zip(queries);
        rows.for_each(|(row, query)| {
            let largest = row.iter().fold(1e-6f32, |a, &b| a.max(b));
            row.iter_mut().for_each(|x| *x /= largest);
            let hits = self.bm25.search(query, LEXICAL_DEPTH);
            let largest = hits.first().map_or(1.0, |(_, score)| *score);
            for (place, score) in hits {
                row[place] += share * score / largest;
            }
        });
    }
}

/// The best [`DEPTH`] items of each query, from scores `[queries][items]`.
fn all_best(scores: &[f32], items: usize) -> Vec<Vec<usize>> {
    let rows = scores.par_chunks(items);
    rows.map(|row| best(row, DEPTH)).collect()
}

/// The places of the largest `count` numbers, the largest first, equal ones in their order.
fn best(row: &[f32], count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..row.len()).collect();
    let rank = |a: &usize, b: &usize| row[*b].total_cmp(&row[*a]).then(a.cmp(b));
    if count < order.len() {
        order.select_nth_unstable_by(count, rank);
        order.truncate(count);
    }
    order.sort_by(rank);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_words_are_those_of_several_items_as_they_are_typed() {
        let mut texts = vec!["Laptop, 17\" (X-100)".to_owned(); 2];
        texts.extend(
            [
                "a laptop",
                "laptop Bag",
                "\"Laptop\"",
                "bag bag bag bag bag",
            ]
            .map(str::to_owned),
        );
        let shared: Vec<String> = shared_words(&texts).into_iter().collect();
        assert_eq!(shared, ["laptop"]);
    }

    #[test]
    fn queries_are_words_of_the_item_in_their_order() {
        let words = ["Red", "Garden", "Hose", "(15", "m)"];
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut lengths = HashSet::new();
        for _ in 0..200 {
            let query = draw_query(&words, 3, &mut rng);
            let places: Vec<usize> = query
                .split(' ')
                .map(|word| words.iter().position(|w| typed(w) == typed(word)).unwrap())
                .collect();
            assert!(places.is_sorted_by(|a, b| a < b), "{query}");
            lengths.insert(places.len());
        }
        assert_eq!(lengths, HashSet::from([1, 2, 3]));
        assert_eq!(draw_query(&[], 3, &mut rng), "");
    }
}
