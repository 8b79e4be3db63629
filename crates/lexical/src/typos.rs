//! Words that are not in the dictionary: the known ones that are nearest by edits.

use std::ops::ControlFlow;
use std::sync::OnceLock;

use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};

use crate::dictionary::{Automaton, Dictionary, Entry};
use crate::short;

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
        let found = within(dictionary, word, edits, &items);
        if !found.is_empty() {
            let first = word.chars().next();
            let is_same = |c: &Correction| c.word.chars().next() == first;
            let rank = |c: &Correction| (is_same(c), c.items);
            let mut kept: Vec<Correction> = Vec::new();
            for correction in found {
                // The likelier spelling of a term.
                if let Some(same) = kept
                    .iter()
                    .position(|k| k.entry.term == correction.entry.term)
                {
                    if rank(&kept[same]) >= rank(&correction) {
                        continue;
                    }
                    kept.remove(same);
                }
                short::keep(&mut kept, MAX_CORRECTIONS, correction, |a, b| {
                    rank(a) > rank(b)
                });
            }
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
