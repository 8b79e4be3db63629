//! The words file of a shelf, `.nsw`: what all shards share. Read in place.

use nearshelf_container::wire::{self, Record};
use nearshelf_container::{Bytes, Error, FileKind, Head, Kind, Result, Storage, Values};
use serde::{Deserialize, Serialize};

use crate::analyzer::{Analyzer, Language};
use crate::bm25::FieldNorm;
use crate::dictionary::Dictionary;
use crate::postings::MAX_FIELDS;
use crate::spread::{Spread, Spreads};
use crate::synonyms::Synonyms;
use crate::terms::TermId;

/// Words → terms: see [`crate::dictionary`].
pub(crate) const DICTIONARY: Kind = Kind::new(b"DICT");
/// Where each term is: see [`crate::spread`].
pub(crate) const SPREAD_STARTS: Kind = Kind::new(b"SPRS");
/// The records of it.
pub(crate) const SPREAD_RECORDS: Kind = Kind::new(b"SPRR");
/// One [`crate::synonyms::Synonyms`] record.
pub(crate) const SYNONYMS: Kind = Kind::new(b"SYNO");
/// Phrases → weights, a transducer: see [`crate::phrases`].
pub(crate) const PHRASES: Kind = Kind::new(b"PHRA");

/// The record in the head of a words file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct WordsRecord {
    pub language: String,
    pub fields: Vec<Record<FieldRecord>>,
    pub items: u64,
    pub terms: u32,
    /// Fields whose values are identifiers.
    pub exact: Vec<String>,
    /// Of words that were added to those of another file: the terms that it has.
    pub first_term: u32,
}

/// A field whose words are counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FieldRecord {
    pub name: String,
    pub weight: f32,
    /// Tokens of all items in it.
    pub tokens: u64,
}

/// Where terms are, read in place.
#[derive(Debug)]
struct SpreadValues {
    starts: Values<u8>,
    records: Values<u8>,
}

impl SpreadValues {
    fn open(bytes: &Bytes, head: &Head) -> Result<Self> {
        let section = |kind| Values::in_place(bytes, head.need(kind, 0)?, &kind.to_string());
        Ok(SpreadValues {
            starts: section(SPREAD_STARTS)?,
            records: section(SPREAD_RECORDS)?,
        })
    }

    fn of(&self, term: TermId) -> Spread {
        let spreads = Spreads {
            starts: &self.starts,
            records: &self.records,
        };
        spreads.of(term)
    }
}

/// Words that were added to those of the build. Their terms follow those of the build.
#[derive(Debug)]
struct AddedWords {
    bytes: Bytes,
    head: Head,
    terms: u32,
    spreads: SpreadValues,
}

/// The words of a shelf.
#[derive(Debug)]
pub struct Words {
    bytes: Bytes,
    head: Head,
    record: WordsRecord,
    analyzer: Analyzer,
    norms: Vec<FieldNorm>,
    dictionary: Dictionary,
    spreads: SpreadValues,
    added: Option<AddedWords>,
    synonyms: Synonyms,
    phrases: Option<Dictionary>,
}

impl Words {
    /// Opens a words file.
    ///
    /// # Errors
    /// Anything in its head that is not as the format says. Damage in a section is found by [`Words::verify`]; until then
    /// it makes answers wrong or empty, and nothing worse.
    pub fn open(bytes: Bytes) -> Result<Self> {
        let head = Head::read(FileKind::Words, &bytes)?;
        let record: WordsRecord = wire::decode("record", head.meta())?;
        let language: Language = record.language.parse().map_err(|_| Error::Unknown {
            place: "record, language".into(),
            expected: Language::codes().collect::<Vec<_>>().join(", "),
            found: record.language.clone(),
        })?;
        if record.fields.len() > MAX_FIELDS {
            let expected = format!("at most {MAX_FIELDS} fields");
            return Err(Error::value(
                "record, fields",
                expected,
                record.fields.len(),
            ));
        }
        let norm = |Record(field): &Record<FieldRecord>| {
            FieldNorm::new(field.weight, field.tokens, record.items)
        };
        let synonyms = bytes.read(head.need(SYNONYMS, 0)?)?;
        let phrases = head
            .find(PHRASES, 0)
            .map(|range| Dictionary::open(&bytes, range, "section PHRA"));
        Ok(Words {
            analyzer: Analyzer::new(language),
            norms: record.fields.iter().map(norm).collect(),
            dictionary: Dictionary::open(&bytes, head.need(DICTIONARY, 0)?, "section DICT")?,
            spreads: SpreadValues::open(&bytes, &head)?,
            added: None,
            synonyms: wire::decode("section SYNO", synonyms)?,
            phrases: phrases.transpose()?,
            bytes,
            head,
            record,
        })
    }

    /// Adds words of items that came after the build, from a file of their own.
    ///
    /// # Errors
    /// Anything in its head that is not as the format says; words that were added to another file.
    pub fn add(&mut self, bytes: Bytes) -> Result<()> {
        let head = Head::read(FileKind::Words, &bytes)?;
        let record: WordsRecord = wire::decode("record", head.meta())?;
        if record.first_term != self.record.terms {
            let expected = format!("words behind {} terms", self.record.terms);
            return Err(Error::value(
                "record, first term",
                expected,
                record.first_term,
            ));
        }
        let dictionary = head.need(DICTIONARY, 0)?;
        self.dictionary.add(&bytes, dictionary, "section DICT")?;
        self.added = Some(AddedWords {
            spreads: SpreadValues::open(&bytes, &head)?,
            terms: record.terms,
            bytes,
            head,
        });
        Ok(())
    }

    /// Reads every byte and compares it with its checksums.
    ///
    /// # Errors
    /// The first section that is not as it was written.
    pub fn verify(&self) -> Result<()> {
        self.head.verify(&self.bytes)
    }

    /// The same of the words that were added.
    ///
    /// # Errors
    /// The first section that is not as it was written.
    pub fn verify_added(&self) -> Result<()> {
        let added = self.added.as_ref();
        added.map_or(Ok(()), |added| added.head.verify(&added.bytes))
    }

    /// The analysis of texts and queries.
    pub fn analyzer(&self) -> Analyzer {
        self.analyzer
    }

    /// The fields whose words are counted, with their weights.
    pub fn fields(&self) -> impl Iterator<Item = (&str, f32)> {
        let fields = self.record.fields.iter();
        fields.map(|Record(field)| (field.name.as_str(), field.weight))
    }

    /// Fields whose values are identifiers.
    pub fn exact_fields(&self) -> &[String] {
        &self.record.exact
    }

    /// Items of the shelf.
    pub fn items(&self) -> u64 {
        self.record.items
    }

    /// The file.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The file's sections.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Where a term is.
    pub(crate) fn spread(&self, term: TermId) -> Spread {
        match (term.checked_sub(self.record.terms), &self.added) {
            (Some(term), Some(added)) => added.spreads.of(term),
            _ => self.spreads.of(term),
        }
    }

    /// Terms, those that were added among them.
    pub(crate) fn terms(&self) -> u32 {
        let added = self.added.as_ref().map_or(0, |added| added.terms);
        self.record.terms + added
    }

    /// The file of the words that were added.
    pub fn added_bytes(&self) -> Option<&Bytes> {
        self.added.as_ref().map(|added| &added.bytes)
    }

    pub(crate) fn record(&self) -> &WordsRecord {
        &self.record
    }

    pub(crate) fn norms(&self) -> &[FieldNorm] {
        &self.norms
    }

    pub(crate) fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    pub(crate) fn synonyms(&self) -> &Synonyms {
        &self.synonyms
    }

    pub(crate) fn phrases(&self) -> Option<&Dictionary> {
        self.phrases.as_ref()
    }
}
