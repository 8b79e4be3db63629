//! The dictionary: words as texts have them → terms. A finite state transducer (`fst`), read in place.
//!
//! Its keys are the words of all texts, folded, and the stems that they are counted by. A value is the term · 2, plus 1
//! where the key is a word of a text.

use std::ops::ControlFlow;

use fst::Streamer;
use fst::raw::{Fst, Output};
use nearshelf_container::{Bytes, Error, Result, Values};

use crate::terms::TermId;

/// Transitions that a look-up among many words follows at most: what damage turns into a circle ends.
const MAX_STEPS: usize = 2_000_000;

/// The bytes of the transducer in its file.
pub(crate) struct InPlace(Values<u8>);

impl AsRef<[u8]> for InPlace {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The dictionary, read in place: words of the build, and those that were added to them.
pub(crate) struct Dictionary {
    fst: Fst<InPlace>,
    added: Option<Fst<InPlace>>,
}

/// A word of the dictionary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub term: TermId,
    /// Whether it is a word of a text, and not only a stem.
    pub is_word: bool,
}

impl Entry {
    pub fn of(value: u64) -> Self {
        Entry {
            term: u32::try_from(value >> 1).unwrap_or(u32::MAX),
            is_word: value & 1 == 1,
        }
    }

    /// The value that stands for it.
    pub fn value(term: TermId, is_word: bool) -> u64 {
        u64::from(term) << 1 | u64::from(is_word)
    }
}

/// Decides where a walk through keys goes on, byte by byte.
pub(crate) trait Automaton {
    type State: Clone;
    fn start(&self) -> Self::State;
    /// The state behind a byte; `None` where no key can be wanted.
    fn step(&self, state: &Self::State, byte: u8) -> Option<Self::State>;
}

/// Every key that begins as this one.
pub(crate) struct StartsWith<'a>(pub &'a [u8]);

impl Automaton for StartsWith<'_> {
    type State = usize;

    fn start(&self) -> usize {
        0
    }

    fn step(&self, &at: &usize, byte: u8) -> Option<usize> {
        match self.0.get(at) {
            None => Some(at),
            Some(&expected) => (expected == byte).then_some(at + 1),
        }
    }
}

impl Dictionary {
    /// Opens the transducer in a range of a file.
    ///
    /// # Errors
    /// Bytes that are none.
    pub fn open(bytes: &Bytes, range: std::ops::Range<usize>, place: &str) -> Result<Self> {
        let fst = transducer(bytes, range, place)?;
        Ok(Dictionary { fst, added: None })
    }

    /// Adds the words of another transducer; where both have a word, it is the first one's.
    ///
    /// # Errors
    /// Bytes that are none.
    pub fn add(&mut self, bytes: &Bytes, range: std::ops::Range<usize>, place: &str) -> Result<()> {
        self.added = Some(transducer(bytes, range, place)?);
        Ok(())
    }

    /// The keys that were added, with their values, in rising order.
    pub fn added_keys(&self) -> Vec<(String, u64)> {
        let mut keys = Vec::new();
        let Some(fst) = &self.added else {
            return keys;
        };
        let read = || {
            let mut stream = fst.stream();
            while let Some((key, output)) = stream.next() {
                if let Ok(key) = std::str::from_utf8(key) {
                    keys.push((key.to_owned(), output.value()));
                }
            }
        };
        let _ = guarded(read);
        keys
    }

    fn transducers(&self) -> impl Iterator<Item = &Fst<InPlace>> {
        std::iter::once(&self.fst).chain(&self.added)
    }

    /// The entry of a word.
    pub fn get(&self, word: &str) -> Option<Entry> {
        let get = |fst: &Fst<InPlace>| guarded(|| fst.get(word)).flatten();
        let found = self.transducers().find_map(get);
        found.map(|output| Entry::of(output.value()))
    }

    /// Each key that an automaton goes through to, with its value and the state there, in rising order, added words behind
    /// the others, until `each` breaks.
    pub fn walk<A: Automaton>(
        &self,
        automaton: &A,
        mut each: impl FnMut(&str, u64, &A::State) -> ControlFlow<()>,
    ) {
        for fst in self.transducers() {
            let walked = guarded(|| walk(fst, automaton, &mut each));
            if walked.is_some_and(|walked| walked.is_break()) {
                return;
            }
        }
    }
}

/// The keys of one transducer.
fn walk<A: Automaton>(
    fst: &Fst<InPlace>,
    automaton: &A,
    each: &mut impl FnMut(&str, u64, &A::State) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut steps = MAX_STEPS;
    let mut key = Vec::new();
    let root = fst.root();
    let mut open = vec![(root, 0, Output::zero(), automaton.start())];
    while let Some((node, next, output, state)) = open.last_mut() {
        if *next == 0 && node.is_final() {
            let value = output.cat(node.final_output()).value();
            if let Ok(text) = std::str::from_utf8(&key) {
                each(text, value, state)?;
            }
        }
        if *next >= node.len() {
            open.pop();
            key.pop();
            continue;
        }
        let transition = node.transition(*next);
        *next += 1;
        steps -= 1;
        if steps == 0 {
            break;
        }
        if let Some(state) = automaton.step(state, transition.inp) {
            let output = output.cat(transition.out);
            key.push(transition.inp);
            open.push((fst.node(transition.addr), 0, output, state));
        }
    }
    ControlFlow::Continue(())
}

fn transducer(bytes: &Bytes, range: std::ops::Range<usize>, place: &str) -> Result<Fst<InPlace>> {
    let bytes = InPlace(Values::in_place(bytes, range, place)?);
    let fst = Fst::new(bytes);
    fst.map_err(|error| Error::value(place, "a transducer", error))
}

/// The result of a library on bytes that may be damaged; nothing, should it panic on them.
fn guarded<T>(call: impl FnOnce() -> T) -> Option<T> {
    nearshelf_container::guarded::<T, String>(|| Ok(call())).ok()
}

impl std::fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a dictionary of {} words", self.fst.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fst::MapBuilder;

    fn dictionary(words: &[(&str, u64)]) -> Vec<u8> {
        let mut builder = MapBuilder::memory();
        for (word, value) in words {
            builder.insert(word, *value).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn open(bytes: Vec<u8>) -> Result<Dictionary> {
        let length = bytes.len();
        let bytes: Bytes = bytes.into();
        Dictionary::open(&bytes, 0..length, "DICT")
    }

    #[test]
    fn words_are_found_and_those_that_begin_alike() {
        let words = [("bag", 3), ("bags", 2), ("battery", 9), ("zip", 11)];
        let dictionary = open(dictionary(&words)).unwrap();
        let entry = dictionary.get("bag").unwrap();
        assert_eq!((entry.term, entry.is_word), (1, true));
        assert!(!dictionary.get("bags").unwrap().is_word);
        assert_eq!(dictionary.get("ba"), None);
        let mut found = Vec::new();
        dictionary.walk(&StartsWith(b"ba"), |key, value, _| {
            found.push((key.to_owned(), value));
            ControlFlow::Continue(())
        });
        let expected: Vec<(String, u64)> = words[..3].iter().map(|&(w, v)| (w.into(), v)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn damage_is_an_error_or_a_wrong_answer() {
        let whole = dictionary(&[("bag", 3), ("bags", 2), ("battery", 9), ("zip", 11)]);
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                let Ok(dictionary) = open(bytes) else {
                    continue;
                };
                let _ = dictionary.get("battery");
                dictionary.walk(&StartsWith(b"b"), |_, _, _| ControlFlow::Continue(()));
            }
        }
        assert!(open(vec![0; 10]).is_err());
    }
}
