//! The words of a catalog as they are written: items are added one by one, then cut into shards.

use std::collections::HashMap;

use fst::MapBuilder;
use nearshelf_container::wire::{self, Record};
use nearshelf_container::{FileKind, FileWriter, Kind};

use crate::analyzer::{Analyzer, Token, TokenKind};
use crate::bm25::{FieldNorm, Lengths, Shares};
use crate::dictionary::Entry;
use crate::file::{self, FieldRecord, Words, WordsRecord};
use crate::phrases::{Phrases, Weighted};
use crate::postings::{self, List, Written};
use crate::query::IDENTIFIER;
use crate::shard;
use crate::spread::SpreadWriter;
use crate::synonyms::Synonyms;
use crate::terms::{TermId, TermsWriter};

/// The words of a catalog that is being read.
#[derive(Debug)]
pub struct WordsWriter<'a> {
    /// The words of a shelf that items are added to.
    behind: Option<&'a Words>,
    analyzer: Analyzer,
    fields: Vec<FieldRecord>,
    exact: Vec<String>,
    synonyms: Synonyms,
    /// Keys of the dictionary: the term, by the order in which terms came, and whether the key is a word.
    keys: HashMap<String, (TermId, bool)>,
    /// The number of terms, those of the shelf among them.
    terms: TermId,
    /// Terms of all items, one item's behind the other's.
    postings: Vec<Posting>,
    /// Where each item's postings start.
    starts: Vec<usize>,
    /// Tokens by item and field.
    lengths: Vec<u16>,
    phrases: Phrases,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Posting {
    term: TermId,
    field: u8,
    count: u8,
}

/// A section of a shard's file.
pub type Section = (Kind, u32, Vec<u8>);

/// The words of a catalog, written.
#[derive(Debug)]
pub struct CatalogWords {
    /// The words file.
    pub file: Vec<u8>,
    /// The sections of each shard.
    pub shards: Vec<Vec<Section>>,
}

impl<'a> WordsWriter<'a> {
    /// No item so far. Fields have names and weights; `exact` names the fields whose values are identifiers.
    ///
    /// # Errors
    /// The first of the synonyms' lines that is none.
    pub fn new(
        analyzer: Analyzer,
        fields: &[(String, f32)],
        exact: &[String],
        synonyms: &str,
    ) -> Result<Self, String> {
        let field = |(name, weight): &(String, f32)| FieldRecord {
            name: name.clone(),
            weight: *weight,
            tokens: 0,
        };
        Ok(WordsWriter {
            behind: None,
            analyzer,
            fields: fields.iter().map(field).collect(),
            exact: exact.to_vec(),
            synonyms: Synonyms::parse(synonyms, analyzer)?,
            keys: HashMap::new(),
            terms: 0,
            postings: Vec::new(),
            starts: vec![0],
            lengths: Vec::new(),
            phrases: Phrases::default(),
        })
    }

    /// Words of items that are added to a shelf, behind its own. How long texts are and how rare words are stays what it was
    /// when the shelf was built.
    pub fn behind(words: &'a Words) -> Self {
        let record = words.record();
        WordsWriter {
            behind: Some(words),
            analyzer: words.analyzer(),
            fields: record.fields.iter().map(|field| field.0.clone()).collect(),
            exact: record.exact.clone(),
            synonyms: Synonyms::default(),
            keys: HashMap::new(),
            terms: words.terms(),
            postings: Vec::new(),
            starts: vec![0],
            lengths: Vec::new(),
            phrases: Phrases::default(),
        }
    }

    /// Adds the next item: its text in each field, and its identifiers.
    pub fn add(&mut self, texts: &[&str], identifiers: &[&str]) {
        let start = self.postings.len();
        let mut tokens = Vec::new();
        for field in 0..self.fields.len() {
            let text = texts.get(field).copied().unwrap_or_default();
            tokens.clear();
            self.analyzer.tokens(text, |token| tokens.push(token));
            // A joined form stands where its parts stand: it makes a text no longer (Lucene's discounted overlaps).
            let parts = tokens
                .iter()
                .filter(|token| token.kind != TokenKind::Joined);
            let length = parts.count().min(u16::MAX.into()) as u16;
            self.lengths.push(length);
            if self.behind.is_none() {
                self.fields[field].tokens += u64::from(length);
            }
            let field = field as u8;
            for token in &tokens {
                let term = self.term(token);
                #[rustfmt::skip]
                self.postings.push(Posting { term, field, count: 1 });
            }
            if field == 0 {
                self.phrases.add(&tokens);
            }
        }
        for identifier in identifiers {
            let code = Analyzer::identifier(identifier);
            if !code.is_empty() {
                let key = format!("{IDENTIFIER}{code}");
                let term = self.key(&key, || key.clone());
                #[rustfmt::skip]
                self.postings.push(Posting { term, field: 0, count: 1 });
            }
        }
        self.counted(start);
        self.starts.push(self.postings.len());
    }

    /// Sums up the postings of the last item.
    fn counted(&mut self, start: usize) {
        self.postings[start..].sort_unstable();
        let mut kept = start;
        for next in start..self.postings.len() {
            let posting = self.postings[next];
            let before = self.postings[..kept].last_mut().filter(|_| kept > start);
            match before {
                Some(before) if (before.term, before.field) == (posting.term, posting.field) => {
                    before.count = before.count.saturating_add(1);
                }
                _ => {
                    self.postings[kept] = posting;
                    kept += 1;
                }
            }
        }
        self.postings.truncate(kept);
    }

    fn term(&mut self, token: &Token) -> TermId {
        let analyzer = self.analyzer;
        self.key(&token.text, || analyzer.term(token))
    }

    /// The term of a key. A new one is counted as its stem, where it has one, else as itself.
    fn key(&mut self, key: &str, stem: impl FnOnce() -> String) -> TermId {
        if let Some((term, true)) = self.keys.get(key) {
            return *term;
        }
        let behind = |key: &str| Some(self.behind?.dictionary().get(key)?.term);
        if let Some(term) = behind(key) {
            return term;
        }
        let stem = Some(stem()).filter(|stem| !stem.is_empty());
        let stem = stem.unwrap_or_else(|| key.to_owned());
        let known = self.keys.get(&stem).map(|(term, _)| *term);
        let known = known.or_else(|| behind(&stem));
        let term = known.unwrap_or_else(|| {
            let term = self.next_term();
            self.keys.insert(stem, (term, false));
            term
        });
        self.keys.insert(key.to_owned(), (term, true));
        term
    }

    fn next_term(&mut self) -> TermId {
        self.terms += 1;
        self.terms - 1
    }

    /// Writes the words of items that are cut into shards: the items of each, in the order of their places. Completions
    /// come from `queries` with their weights, or from the items' own phrases where there are none.
    pub fn write(mut self, members: &[Vec<u32>], queries: &[(String, u64)]) -> CatalogWords {
        let ranks = self.ranked();
        for posting in &mut self.postings {
            posting.term = ranks[posting.term as usize];
        }
        let items = self.behind.map_or(self.items(), Words::items);
        let norms: Vec<FieldNorm> = (self.fields.iter())
            .map(|field| FieldNorm::new(field.weight, field.tokens, items))
            .collect();
        let mut spread = vec![(0u32, Vec::new()); self.terms as usize];
        let mut shards = Vec::with_capacity(members.len());
        for (number, members) in (0u32..).zip(members) {
            let lists = self.lists(members);
            for list in lists.chunk_by(|a, b| a.0 == b.0) {
                let (items, shards) = &mut spread[list[0].0 as usize];
                *items += list.chunk_by(|a, b| a.1 == b.1).count() as u32;
                shards.push(number);
            }
            shards.push(self.sections(members, &lists, &norms));
        }
        let file = match self.behind {
            None => self.file(&ranks, &spread, members.len(), queries),
            Some(words) => self.added_file(words, &ranks, &spread),
        };
        CatalogWords { file, shards }
    }

    fn items(&self) -> u64 {
        self.starts.len() as u64 - 1
    }

    /// The place of each term in the order of the keys that it is counted by: of the first key that has it. Terms of the shelf
    /// that items are added to keep theirs.
    fn ranked(&self) -> Vec<TermId> {
        let mut keys: Vec<(&str, TermId)> = (self.keys.iter())
            .map(|(key, (term, _))| (key.as_str(), *term))
            .collect();
        keys.sort_unstable();
        let mut next = self.behind.map_or(0, Words::terms);
        let mut ranks: Vec<TermId> = (0..next).collect();
        ranks.resize(self.terms as usize, TermId::MAX);
        for (_, term) in keys {
            if ranks[term as usize] == TermId::MAX {
                ranks[term as usize] = next;
                next += 1;
            }
        }
        ranks
    }

    /// The postings of a shard by term, item and field.
    fn lists(&self, members: &[u32]) -> Vec<(TermId, u16, (u8, u8))> {
        let mut lists = Vec::new();
        for (place, &item) in (0u16..=u16::MAX).zip(members) {
            let postings = self.starts[item as usize]..self.starts[item as usize + 1];
            for posting in &self.postings[postings] {
                lists.push((posting.term, place, (posting.field, posting.count)));
            }
        }
        lists.sort_unstable();
        lists
    }

    /// The sections of a shard.
    fn sections(
        &self,
        members: &[u32],
        postings: &[(TermId, u16, (u8, u8))],
        norms: &[FieldNorm],
    ) -> Vec<Section> {
        let lengths: Vec<Vec<u8>> = (0..self.fields.len())
            .map(|field| self.field_lengths(members, field))
            .collect();
        let counted: Vec<Lengths> = (lengths.iter())
            .map(|bytes| Lengths::new(bytes, members.len()))
            .collect();
        let shares = Shares {
            norms,
            lengths: &counted,
        };
        let mut terms = TermsWriter::default();
        let mut lists = Vec::new();
        for of_term in postings.chunk_by(|a, b| a.0 == b.0) {
            let items = of_term.chunk_by(|a, b| a.1 == b.1);
            let written: Vec<Written> = items
                .map(|item| (item[0].1, item.iter().map(|&(.., counts)| counts).collect()))
                .collect();
            let list = postings::write(&written);
            let mut largest = 0f32;
            List::new(&list).each(|item, counts| largest = largest.max(shares.of(item, counts)));
            terms.push(of_term[0].0, list.len(), largest);
            lists.extend(list);
        }
        let mut sections = vec![
            (shard::TERM_HEADS, 0, terms.heads),
            (shard::TERM_ENTRIES, 0, terms.entries),
            (shard::LISTS, 0, lists),
        ];
        let lengths = (0..).zip(lengths);
        sections.extend(lengths.map(|(field, bytes)| (shard::LENGTHS, field, bytes)));
        sections
    }

    /// A field's lengths: a byte each where all are short enough.
    fn field_lengths(&self, members: &[u32], field: usize) -> Vec<u8> {
        let of = |&item: &u32| self.lengths[item as usize * self.fields.len() + field];
        let lengths: Vec<u16> = members.iter().map(of).collect();
        let bytes: Option<Vec<u8>> = lengths.iter().map(|&l| u8::try_from(l).ok()).collect();
        bytes.unwrap_or_else(|| lengths.iter().flat_map(|l| l.to_le_bytes()).collect())
    }

    /// The words file.
    fn file(
        &self,
        ranks: &[TermId],
        spread: &[(u32, Vec<u32>)],
        shards: usize,
        queries: &[(String, u64)],
    ) -> Vec<u8> {
        let record = WordsRecord {
            language: self.analyzer.language().code().into(),
            fields: self.fields.iter().cloned().map(Record).collect(),
            items: self.items(),
            terms: self.terms,
            exact: self.exact.clone(),
            first_term: 0,
        };
        let mut file = FileWriter::new(FileKind::Words, wire::encode(&record));
        let mut keys: Vec<(&str, u64)> = (self.keys.iter())
            .map(|(key, &(term, is_word))| {
                (key.as_str(), Entry::value(ranks[term as usize], is_word))
            })
            .collect();
        keys.sort_unstable();
        file.push(file::DICTIONARY, 0, transducer(&keys));
        let mut spreads = SpreadWriter::default();
        for (items, held) in spread {
            spreads.push(*items, held, shards);
        }
        file.push(file::SPREAD_STARTS, 0, spreads.starts);
        file.push(file::SPREAD_RECORDS, 0, spreads.records);
        file.push(file::SYNONYMS, 0, wire::encode(&self.synonyms));
        let phrases: Vec<Weighted> = match queries {
            [] => self.phrases.frequent(),
            queries => crate::phrases::of_queries(queries, self.analyzer),
        };
        let phrases: Vec<(&str, u64)> = (phrases.iter())
            .map(|(phrase, weight)| (phrase.as_str(), *weight))
            .collect();
        file.push(file::PHRASES, 0, transducer(&phrases));
        file.to_bytes()
    }
}

impl WordsWriter<'_> {
    /// The file of words that were added: those of earlier updates and the new ones.
    fn added_file(&self, words: &Words, ranks: &[TermId], spread: &[(u32, Vec<u32>)]) -> Vec<u8> {
        let first = words.record().terms;
        let record = WordsRecord {
            items: self.items(),
            terms: self.terms - first,
            first_term: first,
            ..words.record().clone()
        };
        let mut file = FileWriter::new(FileKind::Words, wire::encode(&record));
        let mut keys = words.dictionary().added_keys();
        for (key, &(term, is_word)) in &self.keys {
            keys.push((key.clone(), Entry::value(ranks[term as usize], is_word)));
        }
        keys.sort_unstable();
        let keys: Vec<(&str, u64)> = keys
            .iter()
            .map(|(key, value)| (key.as_str(), *value))
            .collect();
        file.push(file::DICTIONARY, 0, transducer(&keys));
        let mut spreads = SpreadWriter::default();
        for term in first..self.terms {
            let before = words.spread(term).items;
            // Shards that were added are always looked at: nobody asks which of them hold a word.
            spreads.push(before + spread[term as usize].0, &[], 0);
        }
        file.push(file::SPREAD_STARTS, 0, spreads.starts);
        file.push(file::SPREAD_RECORDS, 0, spreads.records);
        file.to_bytes()
    }
}

/// A transducer of keys in rising order.
fn transducer(keys: &[(&str, u64)]) -> Vec<u8> {
    let mut builder = MapBuilder::memory();
    for (key, value) in keys {
        // Keys of a map, sorted: each is greater than the one before.
        builder.insert(key, *value).expect("keys rise");
    }
    builder.into_inner().expect("a Vec takes any bytes")
}
