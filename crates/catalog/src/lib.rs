//! A catalog cut into semantic shards: the manifest that names them, the search that goes to the
//! nearest first, and the typed fields that come back with a hit.

mod catalog;
mod columns;
mod error;
mod manifest;

pub use catalog::{Catalog, Found, Hit, SearchOptions, SearchStats, route};
pub use columns::{Columns, FieldKind, Value, ValueRef};
pub use error::{Error, Result};
pub use manifest::{
    Digest, Field, FileRef, MANIFEST_NAME, MANIFEST_VERSION, Manifest, ProbeRecall, SearchDefaults,
    ShardRef, sha256,
};
pub use nearshelf_bytes::Bytes;
pub use nearshelf_index::Error as ShardError;
