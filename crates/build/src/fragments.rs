//! Queries made of the catalog: what a shopper types is shorter than what an item is called, and lies
//! elsewhere in the space of vectors. Fragments of the items' texts lie there too.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Words that a fragment has at most.
const WORDS: usize = 3;

/// `count` fragments: one to three consecutive words of an item's text.
pub(crate) fn fragments(texts: &[String], count: usize, seed: u64) -> Vec<String> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| fragment(texts, &mut rng)).collect()
}

/// `count` queries for what the catalog does not have: fragments of two items' texts in one.
pub(crate) fn crossed(texts: &[String], count: usize, seed: u64) -> Vec<String> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count)
        .map(|_| fragment(texts, &mut rng) + " " + &fragment(texts, &mut rng))
        .collect()
}

fn fragment(texts: &[String], rng: &mut ChaCha8Rng) -> String {
    let words: Vec<&str> = texts[rng.random_range(0..texts.len())]
        .split_whitespace()
        .collect();
    let length = rng.random_range(1..=WORDS).min(words.len());
    let start = rng.random_range(0..=words.len() - length);
    words[start..start + length].join(" ")
}
