//! Semantic product search where the shopper is.
//!
//! A *shelf* is a directory of immutable files: a catalog's vectors, graphs and items in shards, and
//! the encoder for queries. `nearshelf build` makes it, this crate opens it:
//!
//! ```no_run
//! let shelf = nearshelf::Shelf::open("shelf")?;
//! for hit in shelf.search("something warm for a rainy hike", 10)?.hits {
//!     println!("{:.3} {} {:?}", hit.score, hit.id, hit.field("title"));
//! }
//! # Ok::<(), nearshelf::Error>(())
//! ```

mod encoder_files;
mod error;
mod shelf;

pub use error::{Error, Result};
pub use nearshelf_catalog::{
    Boost, Chance, Condition, Corrected, Digest, EncoderFiles, Error as CatalogError, Facet,
    FacetCounts, FacetQuery, Field, FieldKind, FieldStats, FileRef, Filter, FrontRef, Language,
    MANIFEST_NAME, Manifest, Matches, Mode, Naming, Overlay, Parts, ProbeRecall, Query, RangeCount,
    Recommend, SearchDefaults, SearchOptions, SearchStats, ShardRef, Sort, Suggestion, Value,
    ValueCount, ValueRef, ValueStats, WordQuery, Words, WordsRef, sha256,
};
pub use nearshelf_container::{AlignedBytes, Bytes, ErrorKind};
#[cfg(all(feature = "onnx", not(target_arch = "wasm32")))]
pub use nearshelf_encoder::Portable;
pub use nearshelf_encoder::{
    Encoded, Encoder, EncoderConfig, Error as EncoderError, Fusion, Isa, NETWORK_NAME, Pooling,
    Precision,
};
pub use shelf::{Answer, Found, Hit, SectionSize, Shelf, Why};
