//! Words that are not in the dictionary: the known ones that are nearest by edits.

use std::cmp::Reverse;
use std::ops::ControlFlow;
use std::sync::OnceLock;

use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};

use crate::dictionary::{Automaton, Dictionary, Entry};

/// Letters from which one edit is looked for, and two.
const ONE_EDIT_FROM: usize = 4;
const TWO_EDITS_FROM: usize = 7;
/// Letters up to which a word is looked for: the automaton grows with them.
const LONGEST: usize = 32;
/// Corrections that a word has at most.
const MAX_CORRECTIONS: usize = 3;

/// A known word in place of an unknown one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Correction {
    /// The word of the dictionary.
    pub word: String,
    pub entry: Entry,
    /// Edits between the two; a transposition is one.
    pub edits: u8,
    /// Items that hold it.
    pub items: u32,
}

/// Builders of automata of one and of two edits.
fn builder(edits: u8) -> &'static LevenshteinAutomatonBuilder {
    static BUILDERS: [OnceLock<LevenshteinAutomatonBuilder>; 2] = [const { OnceLock::new() }; 2];
    BUILDERS[usize::from(edits == 2)]
        .get_or_init(|| LevenshteinAutomatonBuilder::new(edits.clamp(1, 2), true))
}

impl Automaton for DFA {
    type State = u32;

    fn start(&self) -> u32 {
        self.initial_state()
    }

    fn step(&self, &state: &u32, byte: u8) -> Option<u32> {
        let next = self.transition(state, byte);
        (next != SINK_STATE).then_some(next)
    }
}

/// The nearest known words of an unknown one, best first: those of one edit, and only without them those of two; among
/// these, those with the same first letter and those that more items hold.
pub(crate) fn corrections(
    dictionary: &Dictionary,
    word: &str,
    items: impl Fn(&Entry) -> u32,
) -> Vec<Correction> {
    let letters = word.chars().count();
    let most = match letters {
        0..ONE_EDIT_FROM => 0,
        ONE_EDIT_FROM..TWO_EDITS_FROM => 1,
        TWO_EDITS_FROM..=LONGEST => 2,
        _ => 0,
    };
    for edits in 1..=most {
        let mut found = within(dictionary, word, edits, &items);
        if !found.is_empty() {
            let first = word.chars().next();
            found.sort_by_key(|c| {
                let same = c.word.chars().next() == first;
                (Reverse(same), Reverse(c.items), c.word.clone())
            });
            let mut kept: Vec<Correction> = Vec::new();
            for correction in found {
                if kept.iter().all(|k| k.entry.term != correction.entry.term) {
                    kept.push(correction);
                }
            }
            kept.truncate(MAX_CORRECTIONS);
            return kept;
        }
    }
    vec![]
}

fn within(
    dictionary: &Dictionary,
    word: &str,
    edits: u8,
    items: &impl Fn(&Entry) -> u32,
) -> Vec<Correction> {
    let automaton = builder(edits).build_dfa(word);
    let mut found = Vec::new();
    dictionary.walk(&automaton, |known, value, &state| {
        let entry = Entry::of(value);
        if let Distance::Exact(edits) = automaton.distance(state)
            && entry.is_word
            // A code is no misspelt word.
            && !known.chars().any(char::is_numeric)
        {
            found.push(Correction {
                word: known.to_owned(),
                items: items(&entry),
                entry,
                edits,
            });
        }
        ControlFlow::Continue(())
    });
    found
}
