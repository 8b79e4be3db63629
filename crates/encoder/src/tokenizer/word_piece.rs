//! WordPiece as BERT has it (Devlin et al. 2019), its vocabulary read in place.
//!
//! Normalization and the cut into words are the tokenizers library's, which are code alone. Its vocabulary is a
//! trie that is built anew at each start, 10 to 20 ms for 11,000 pieces; that is what tables are in place of.
//!
//! The vocabulary is two sorted tables: pieces that a word begins with, and pieces that it goes on with, without
//! their `##`. A word becomes the longest piece that it begins with, then the longest that the rest goes on
//! with, and so on; one that cannot be had from pieces is unknown.

#[cfg(feature = "onnx")]
use nearshelf_container::FileWriter;
use nearshelf_container::wire::{self, Record};
use nearshelf_container::{Bytes, Head, Kind, Result, Values, guarded};
use serde::{Deserialize, Serialize};
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pipeline::{Normalizer, PreTokenizer, PreTokenizerScratch};
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;

use super::tokens::Tokens;
use crate::error::Error;

/// The record.
const RECORD: Kind = Kind::new(b"TOKR");
/// Where each piece starts, and where the last one ends: `u32 [pieces + 1]`.
const PIECE_STARTS: Kind = Kind::new(b"PIES");
/// The pieces in rising order, one behind the other, in UTF-8.
const PIECE_BYTES: Kind = Kind::new(b"PIEB");
/// Their ids: `u32 [pieces]`.
const PIECE_IDS: Kind = Kind::new(b"PIEI");

/// Everything of a tokenizer but its pieces.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rules {
    /// Control characters go, white space becomes a space.
    pub clean: bool,
    /// Chinese characters become words of their own.
    pub chinese: bool,
    /// Accents go.
    pub accents: bool,
    /// Capitals go.
    pub lowercase: bool,
    /// Characters that a word has at most; a longer one is unknown.
    pub longest: u32,
    /// The id of an unknown word.
    pub unknown: u32,
    /// Ids that every text begins with.
    pub before: Vec<u32>,
    /// Ids that every text ends with.
    pub after: Vec<u32>,
    /// Texts that are tokens wherever they stand, such as `[MASK]`.
    pub special: Vec<Record<Special>>,
}

/// A text that is a token wherever it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Special {
    /// The text.
    pub text: String,
    /// Its id.
    pub id: u32,
}

/// A tokenizer whose vocabulary is read in place.
#[derive(Debug, Clone)]
pub(crate) struct WordPiece {
    rules: Rules,
    starts: Pieces,
    continuations: Pieces,
}

impl WordPiece {
    /// A tokenizer of pieces that words begin with, and of pieces that they go on with.
    #[cfg(feature = "onnx")]
    pub fn new(
        rules: Rules,
        starts: Vec<(String, u32)>,
        continuations: Vec<(String, u32)>,
    ) -> Self {
        WordPiece {
            rules,
            starts: Pieces::new(starts),
            continuations: Pieces::new(continuations),
        }
    }

    /// Reads a tokenizer's sections.
    pub fn open(bytes: &Bytes, head: &Head) -> Result<Self> {
        let record = bytes.get(head.need(RECORD, 0)?).unwrap_or_default();
        Ok(WordPiece {
            rules: wire::decode("section TOKR", record)?,
            starts: Pieces::open(bytes, head, 0)?,
            continuations: Pieces::open(bytes, head, 1)?,
        })
    }

    /// Appends the tokenizer's sections.
    #[cfg(feature = "onnx")]
    pub fn write(&self, file: &mut FileWriter) {
        file.push(RECORD, 0, wire::encode(&self.rules));
        for (index, pieces) in (0..).zip([&self.starts, &self.continuations]) {
            file.push(PIECE_STARTS, index, pieces.starts.to_bytes());
            file.push(PIECE_IDS, index, pieces.ids.to_bytes());
            file.push(PIECE_BYTES, index, pieces.bytes.to_bytes());
        }
    }

    /// The largest id of all tokens.
    pub fn largest_id(&self) -> u32 {
        let rules = &self.rules;
        let special = rules.special.iter().map(|special| &special.0.id);
        let pieces = self.starts.ids.iter().chain(self.continuations.ids.iter());
        let around = rules.before.iter().chain(&rules.after);
        let ids = pieces.chain(around).chain(special).chain([&rules.unknown]);
        ids.copied().max().unwrap_or_default()
    }

    /// The ids of a text, cut to `max_tokens` with those around it kept.
    ///
    /// # Errors
    /// The library's own.
    pub fn encode(&self, text: &str, max_tokens: usize) -> Result<Tokens, Error> {
        let Rules { before, after, .. } = &self.rules;
        let mut ids = before.clone();
        let pushed = guarded(|| self.push_text(text, &mut ids).map_err(|e| e.to_string()));
        pushed.map_err(|reason: String| Error::Tokenizer { reason })?;
        let untruncated = ids.len() + after.len();
        ids.truncate(max_tokens.saturating_sub(after.len()).max(before.len()));
        let unknown = ids[before.len()..].iter();
        let unknown = unknown.filter(|&&id| id == self.rules.unknown).count();
        ids.extend(after);
        Ok(Tokens {
            ids,
            untruncated,
            unknown,
        })
    }

    /// The text between special tokens, and those.
    fn push_text(&self, mut text: &str, ids: &mut Vec<u32>) -> tokenizers::Result<()> {
        while let Some((at, special)) = self.next_special(text) {
            self.push_words(&text[..at], ids)?;
            ids.push(special.id);
            text = &text[at + special.text.len()..];
        }
        self.push_words(text, ids)
    }

    /// The first special token of a text, and the longest of those that begin there.
    fn next_special(&self, text: &str) -> Option<(usize, &Special)> {
        let specials = self.rules.special.iter().map(|special| &special.0);
        specials
            .filter(|special| !special.text.is_empty())
            .filter_map(|special| Some((text.find(&special.text)?, special)))
            .min_by_key(|(at, special)| (*at, std::cmp::Reverse(special.text.len())))
    }

    /// Words are what white space and punctuation leave; a punctuation mark is one.
    fn push_words(&self, text: &str, ids: &mut Vec<u32>) -> tokenizers::Result<()> {
        let Rules {
            clean,
            chinese,
            accents,
            lowercase,
            ..
        } = self.rules;
        let normalizer = BertNormalizer::new(clean, chinese, Some(accents), lowercase);
        let normalized = normalizer.normalize(text, 0)?;
        let (mut scratch, mut words) = (PreTokenizerScratch::default(), Vec::new());
        BertPreTokenizer.pre_tokenize(&normalized, &mut scratch, &mut words)?;
        for word in words {
            self.push_word(&normalized[word.range()], ids);
        }
        Ok(())
    }

    fn push_word(&self, word: &str, ids: &mut Vec<u32>) {
        if word.is_empty() {
            return;
        }
        let (before, longest) = (ids.len(), self.rules.longest as usize);
        if word.len() > longest && word.chars().nth(longest).is_some() {
            ids.push(self.rules.unknown);
            return;
        }
        let (mut rest, mut pieces) = (word.as_bytes(), &self.starts);
        while !rest.is_empty() {
            let Some((length, id)) = pieces.longest(rest) else {
                ids.truncate(before);
                ids.push(self.rules.unknown);
                return;
            };
            ids.push(id);
            rest = &rest[length..];
            pieces = &self.continuations;
        }
    }
}

/// Pieces in rising order.
#[derive(Debug, Clone)]
struct Pieces {
    starts: Values<u32>,
    bytes: Values<u8>,
    ids: Values<u32>,
}

impl Pieces {
    #[cfg(feature = "onnx")]
    fn new(mut pieces: Vec<(String, u32)>) -> Self {
        pieces.sort();
        let (mut starts, mut bytes, mut ids) = (vec![0u32], Vec::new(), Vec::new());
        for (piece, id) in pieces {
            bytes.extend_from_slice(piece.as_bytes());
            starts.push(bytes.len() as u32);
            ids.push(id);
        }
        Pieces {
            starts: starts.into(),
            bytes: bytes.into(),
            ids: ids.into(),
        }
    }

    fn open(bytes: &Bytes, head: &Head, index: u32) -> Result<Self> {
        let ids = head.need(PIECE_IDS, index)?;
        let starts = head.sized(PIECE_STARTS, index, ids.len() as u64 + 4)?;
        let texts = head.need(PIECE_BYTES, index)?;
        Ok(Pieces {
            starts: Values::in_place(bytes, starts, "section PIES")?,
            bytes: Values::in_place(bytes, texts, "section PIEB")?,
            ids: Values::in_place(bytes, ids, "section PIEI")?,
        })
    }

    /// The longest piece that `word` begins with: its length in bytes, one or more, and its id.
    fn longest(&self, word: &[u8]) -> Option<(usize, u32)> {
        let (starts, bytes, ids): (&[u32], &[u8], &[u32]) = (&self.starts, &self.bytes, &self.ids);
        // A piece of damaged starts is empty, or another one: a wrong answer, and nothing worse.
        let piece = |i: usize| {
            let range = starts[i] as usize..starts[i + 1] as usize;
            bytes.get(range).unwrap_or_default()
        };
        // Pieces `low` to `high` are those that begin as the word does, up to `depth`.
        let (mut low, mut high, mut longest) = (0, ids.len(), None);
        for (depth, &byte) in word.iter().enumerate() {
            let narrowed = |from: usize, to: usize, below: &dyn Fn(Option<&u8>) -> bool| {
                let (mut low, mut high) = (from, to);
                while low < high {
                    let middle = (low + high) / 2;
                    if below(piece(middle).get(depth)) {
                        low = middle + 1;
                    } else {
                        high = middle;
                    }
                }
                low
            };
            low = narrowed(low, high, &|found| found < Some(&byte));
            high = narrowed(low, high, &|found| found == Some(&byte));
            if low == high {
                break;
            }
            if piece(low).len() == depth + 1 {
                longest = Some((depth + 1, ids[low]));
            }
        }
        longest
    }
}
