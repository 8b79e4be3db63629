//! A catalog cut into semantic shards: the manifest that names them, the search that goes to the
//! nearest first, and the typed fields that come back with a hit.

mod catalog;
mod changes;
mod columns;
mod error;
mod fields;
mod filter;
mod ids;
mod manifest;
mod query;
mod recommend;
mod search;
mod unit;

pub use catalog::Catalog;
pub use changes::{Changes, FieldChanges, Overlay};
pub use columns::{Columns, FieldKind, Value, ValueRef};
pub use error::{Error, Result};
pub use filter::{Condition, Filter};
pub use manifest::{
    Chance, EncoderFiles, Field, FieldStats, FileRef, FrontRef, MANIFEST_NAME, Manifest, PartRef,
    ProbeRecall, SearchDefaults, ShardRef, ValueStats, WordsRef,
};
pub use nearshelf_container::{Bytes, Digest, ErrorKind, Stored, sha256};
pub use nearshelf_lexical::{Corrected, Language, Naming, Suggestion, WordQuery, Words};
pub use query::{Query, Recommend, Target};
pub use search::{
    Boost, Facet, FacetCounts, FacetQuery, Found, Hit, Matches, Mode, Parts, RangeCount,
    SearchOptions, SearchStats, Sort, ValueCount, route,
};
