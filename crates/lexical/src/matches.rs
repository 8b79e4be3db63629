//! Where the words of a query stand in a text.

use std::ops::Range;

use crate::file::Words;
use crate::query::WordQuery;
use crate::short;

impl Words {
    /// The places of a query's words in a text, in bytes, in rising order; those that touch or overlap are one.
    pub fn matches(&self, query: &WordQuery, text: &str) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        let analyzer = self.analyzer();
        analyzer.tokens(text, |token| {
            let dictionary = self.dictionary();
            let entry = dictionary.get(&token.text);
            let entry = entry.or_else(|| dictionary.get(&analyzer.term(&token)));
            if entry.is_some_and(|entry| query.wants(entry.term)) {
                found.push(token.start..token.end);
            }
        });
        short::sort(&mut found, |a, b| a.start < b.start);
        let mut merged: Vec<Range<usize>> = Vec::new();
        for range in found {
            match merged.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        merged
    }
}
