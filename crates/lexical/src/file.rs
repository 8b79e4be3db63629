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
}

/// A field whose words are counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FieldRecord {
    pub name: String,
    pub weight: f32,
    /// Tokens of all items in it.
    pub tokens: u64,
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
    starts: Values<u8>,
    records: Values<u8>,
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
        let section = |kind| Values::in_place(&bytes, head.need(kind, 0)?, &kind.to_string());
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
            starts: section(SPREAD_STARTS)?,
            records: section(SPREAD_RECORDS)?,
            synonyms: wire::decode("section SYNO", synonyms)?,
            phrases: phrases.transpose()?,
            bytes,
            head,
            record,
        })
    }

    /// Reads every byte and compares it with its checksums.
    ///
    /// # Errors
    /// The first section that is not as it was written.
    pub fn verify(&self) -> Result<()> {
        self.head.verify(&self.bytes)
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
        let spreads = Spreads {
            starts: &self.starts,
            records: &self.records,
        };
        spreads.of(term)
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
