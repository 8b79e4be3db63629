//! Queries made of the catalog: what a shopper types is shorter than what an item is called, and lies
//! elsewhere in the space of vectors. Fragments of the items' texts lie there too.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Words that a fragment has at most.
const WORDS: usize = 3;

/// `count` fragments: one to three consecutive words of an item's text, each with the item.
pub(crate) fn fragments(texts: &[String], count: usize, seed: u64) -> Vec<(usize, String)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| fragment(texts, &mut rng)).collect()
}

/// `count` queries for what the catalog does not have: fragments of two items' texts in one.
pub(crate) fn crossed(texts: &[String], count: usize, seed: u64) -> Vec<String> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count)
        .map(|_| fragment(texts, &mut rng).1 + " " + &fragment(texts, &mut rng).1)
        .collect()
}

fn fragment(texts: &[String], rng: &mut ChaCha8Rng) -> (usize, String) {
    let item = rng.random_range(0..texts.len());
    let words: Vec<&str> = texts[item].split_whitespace().collect();
    let length = rng.random_range(1..=WORDS).min(words.len());
    let start = rng.random_range(0..=words.len() - length);
    (item, words[start..start + length].join(" "))
}
