//! Phrases that queries are completed with: those that many items have, or those of a file of queries.

use std::collections::HashMap;
use std::ops::ControlFlow;

use crate::analyzer::{Analyzer, Token, TokenKind};
use crate::dictionary::StartsWith;
use crate::file::Words;
use crate::short;

/// Phrases that are kept, at most.
const MAX_PHRASES: usize = 20_000;
/// Items that have a phrase, at least, and one of so many of all items.
const LEAST: u32 = 2;
const ONE_OF: usize = 20_000;
/// Completions of one beginning.
const MAX_SUGGESTIONS: usize = 1000;
/// Phrases that are looked at for one beginning.
const MAX_WALKED: usize = 50_000;

/// A phrase and how often it was said.
pub(crate) type Weighted = (String, u64);

/// Words of items in their order, to count phrases in.
#[derive(Debug, Default)]
pub(crate) struct Phrases {
    words: HashMap<String, u32>,
    /// The words of all items; `GAP` between items, and where a phrase cannot go on.
    texts: Vec<u32>,
}

const GAP: u32 = u32::MAX;

impl Phrases {
    /// Adds the tokens of an item.
    pub fn add(&mut self, tokens: &[Token]) {
        for token in tokens {
            match token.kind {
                TokenKind::Word if token.text.len() > 1 => {
                    let next = self.words.len() as u32;
                    let word = self.words.entry(token.text.clone()).or_insert(next);
                    self.texts.push(*word);
                }
                TokenKind::Joined => {}
                _ => self.texts.push(GAP),
            }
        }
        self.texts.push(GAP);
    }

    /// The phrases of one to three words that most items have.
    pub fn frequent(&self) -> Vec<Weighted> {
        let items = self.texts.iter().filter(|&&word| word == GAP).count();
        let least = LEAST.max((items / ONE_OF) as u32);
        let mut names = vec![""; self.words.len()];
        for (name, &word) in &self.words {
            names[word as usize] = name;
        }
        let mut all: Vec<Weighted> = Vec::new();
        // A phrase is frequent only where the phrases in it are.
        let mut shorter: HashMap<Vec<u32>, u32> = HashMap::new();
        for length in 1..=3 {
            let mut counts: HashMap<&[u32], u32> = HashMap::new();
            for phrase in self.texts.windows(length) {
                let frequent = |part: &[u32]| length == 1 || shorter.contains_key(part);
                if !phrase.contains(&GAP)
                    && frequent(&phrase[1..])
                    && frequent(&phrase[..length - 1])
                {
                    *counts.entry(phrase).or_default() += 1;
                }
            }
            counts.retain(|_, count| *count >= least);
            for (phrase, count) in &counts {
                let words: Vec<&str> = phrase.iter().map(|&word| names[word as usize]).collect();
                all.push((words.join(" "), u64::from(*count)));
            }
            shorter = counts
                .into_iter()
                .map(|(phrase, count)| (phrase.to_vec(), count))
                .collect();
        }
        best(all)
    }
}

/// Queries as phrases.
pub(crate) fn of_queries(queries: &[(String, u64)], analyzer: Analyzer) -> Vec<Weighted> {
    let mut weights: HashMap<String, u64> = HashMap::new();
    for (query, weight) in queries {
        let folded = folded(query, analyzer);
        if !folded.is_empty() {
            *weights.entry(folded).or_default() += weight;
        }
    }
    best(weights.into_iter().collect())
}

/// The phrases of the largest weights, in rising order.
fn best(mut phrases: Vec<Weighted>) -> Vec<Weighted> {
    phrases.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    phrases.truncate(MAX_PHRASES);
    phrases.sort_unstable();
    phrases
}

/// A text as phrases are kept: its tokens with spaces between them.
fn folded(text: &str, analyzer: Analyzer) -> String {
    let spoken = analyzer.spoken(text).into_iter();
    let words: Vec<String> = spoken.map(|token| token.text).collect();
    words.join(" ")
}

/// A completion of what a shopper typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The whole phrase.
    pub text: String,
    /// Items that have it, or the weight that the file of queries gave it.
    pub weight: u64,
}

impl Words {
    /// The `k` phrases of the largest weights that begin with a text, the last word of which may be unfinished.
    pub fn suggest(&self, text: &str, k: usize) -> Vec<Suggestion> {
        let text = &text[..text.floor_char_boundary(256)];
        let beginning = folded(text, self.analyzer());
        let ended = text.ends_with(char::is_whitespace);
        let beginning = if ended && !beginning.is_empty() {
            beginning + " "
        } else {
            beginning
        };
        let Some(phrases) = self.phrases().filter(|_| !beginning.is_empty()) else {
            return vec![];
        };
        let k = k.min(MAX_SUGGESTIONS);
        let (mut found, mut walked) = (Vec::new(), 0);
        phrases.walk(&StartsWith(beginning.as_bytes()), |text, weight, _| {
            let text = text.to_owned();
            let suggestion = Suggestion { text, weight };
            // Phrases come in the order of their texts.
            short::keep(&mut found, k, suggestion, |a, b| a.weight > b.weight);
            walked += 1;
            match walked < MAX_WALKED {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        });
        found
    }
}
