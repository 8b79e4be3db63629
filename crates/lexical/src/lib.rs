//! The words of a shelf: texts are analysed, words looked up, items scored by BM25F.
//!
//! One file ([`Words`]) holds all that shards share: the dictionary, how often and in which shards each term is, synonyms
//! and phrases. The posting lists of a shard are sections of its own file ([`ShardWords`]). Both are read in place. A
//! text becomes a [`WordQuery`] once, and every shard is searched for that.

mod analyzer;
mod bm25;
mod dictionary;
mod file;
mod matches;
mod phrases;
mod postings;
mod query;
mod scratch;
mod search;
mod shard;
mod short;
mod spread;
mod synonyms;
mod terms;
mod typos;
mod varint;
mod writer;

pub use analyzer::{Analyzer, Language, Token, TokenKind};
pub use bm25::{B, K1};
pub use file::Words;
pub use phrases::Suggestion;
pub use postings::MAX_FIELDS;
pub use query::{Corrected, WordQuery};
pub use scratch::{Scored, Scratch, Top};
pub use search::{Naming, WordScore};
pub use shard::{ShardWords, WordSections};
pub use writer::{CatalogWords, Section, WordsWriter};
