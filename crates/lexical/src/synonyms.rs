//! Synonyms: lines of a file, applied to queries.
//!
//! `couch, sofa, settee` says that each stands for the others; `sneaker => trainer, running shoe` that the first stands
//! for the others too, and not the other way. A synonym of a synonym is none, so that circles end.

use nearshelf_container::wire::Record;
use serde::{Deserialize, Serialize};

use crate::analyzer::Analyzer;

/// The synonyms of a shelf, by the terms of the phrase that they stand for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Synonyms {
    /// In rising order of phrases.
    entries: Vec<Record<Entry>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Entry {
    /// Terms of the phrase that a query holds.
    phrase: Vec<String>,
    /// Phrases that stand for it as well.
    others: Vec<Vec<String>>,
}

impl Synonyms {
    /// Reads the lines of a file; empty ones and those that begin with `#` say nothing.
    ///
    /// # Errors
    /// The first line that is no synonyms, by its number.
    pub fn parse(text: &str, analyzer: Analyzer) -> Result<Self, String> {
        let mut entries: std::collections::BTreeMap<Vec<String>, Vec<Vec<String>>> = [].into();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (from, to) = line.split_once("=>").unwrap_or((line, line));
            let phrases = |list: &str| -> Vec<Vec<String>> {
                let phrases = list.split(',').map(|phrase| terms(phrase, analyzer));
                phrases.filter(|phrase| !phrase.is_empty()).collect()
            };
            let (from, to) = (phrases(from), phrases(to));
            let one_way = line.contains("=>");
            if from.is_empty() || to.is_empty() || (!one_way && to.len() < 2) {
                let expected = "expected \"couch, sofa\" or \"sneaker => trainer\"";
                return Err(format!("line {number}: {expected}, found {line:?}"));
            }
            for phrase in from {
                let others = entries.entry(phrase.clone()).or_default();
                for other in &to {
                    if *other != phrase && !others.contains(other) {
                        others.push(other.clone());
                    }
                }
            }
        }
        let entry = |(phrase, others)| Record(Entry { phrase, others });
        Ok(Synonyms {
            entries: entries.into_iter().map(entry).collect(),
        })
    }

    /// Terms of the longest phrase.
    pub fn longest(&self) -> usize {
        let lengths = self.entries.iter().map(|Record(entry)| entry.phrase.len());
        lengths.max().unwrap_or_default()
    }

    /// The phrases that stand for one.
    pub fn of(&self, phrase: &[&str]) -> &[Vec<String>] {
        let found = self.entries.binary_search_by(|Record(entry)| {
            let terms = entry.phrase.iter().map(String::as_str);
            terms.cmp(phrase.iter().copied())
        });
        found.map_or(&[], |place| &self.entries[place].0.others)
    }
}

/// The terms of a phrase.
fn terms(phrase: &str, analyzer: Analyzer) -> Vec<String> {
    let spoken = analyzer.spoken(phrase);
    spoken.iter().map(|token| analyzer.term(token)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synonyms_go_both_ways_or_one() {
        let file = "# furniture\ncouch, sofa\n\nsneaker => trainer, running shoes\na, b\nb, a\n";
        let synonyms = Synonyms::parse(file, Analyzer::default()).unwrap();
        assert_eq!(synonyms.of(&["couch"]), [["sofa"]]);
        assert_eq!(synonyms.of(&["sofa"]), [["couch"]]);
        let shoes = vec!["run".to_owned(), "shoe".to_owned()];
        assert_eq!(
            synonyms.of(&["sneaker"]),
            [vec!["trainer".to_owned()], shoes]
        );
        assert_eq!(synonyms.of(&["trainer"]), [[""; 0]; 0]);
        // A circle is two entries.
        assert_eq!(synonyms.of(&["a"]), [["b"]]);
        assert_eq!(synonyms.longest(), 1);
        for wrong in ["couch", "=> sofa", "couch =>", ", ,"] {
            let error = Synonyms::parse(wrong, Analyzer::default()).unwrap_err();
            assert!(error.starts_with("line 1: expected"), "{error}");
        }
    }
}
