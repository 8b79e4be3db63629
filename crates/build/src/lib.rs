//! Builds a shelf: a catalog's rows become items, their texts vectors, the vectors semantic shards
//! with one graph over all of them, and all of it a directory that appears under its name when it is complete.
//!
//! The same items, model, options and seed give the same bytes on every number of threads.

mod arrange;
mod cache;
mod chance;
mod compact;
mod error;
mod fragments;
mod items;
mod link;
mod make;
mod model;
mod neighbours;
mod options;
mod order;
mod parallel;
mod partition;
mod probe;
mod progress;
mod shelf;
mod source;
mod store;
mod target;
mod update;
mod vectors;
mod words;

pub use compact::{CompactOptions, Compacted, compact};
pub use error::{Error, Result};
pub use items::{
    FieldSpec, ItemOptions, Items, Problem, ProblemKind, Report, TextField, TypedField, read_items,
};
pub use model::Model;
pub use nearshelf_index::Precision;
pub use nearshelf_lexical::Language;
pub use neighbours::neighbours;
pub use options::BuildOptions;
pub use progress::{NoProgress, Progress};
pub use shelf::{Built, build};
pub use update::{Counts, UpdateOptions, Updated, update};
pub use words::WordOptions;
