//! Everything that a manifest says, as the program works with it.

use serde::Serialize;

use super::files::{EncoderFiles, FileRef};
use super::stats::FieldStats;
use crate::columns::FieldKind;

/// A field that items have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    /// Its name in the catalog.
    pub name: String,
    /// Its type.
    pub kind: FieldKind,
    /// Its values in all shards.
    pub stats: FieldStats,
}

/// A shard, and where it stands among the others.
#[derive(Debug, Clone, PartialEq)]
pub struct ShardRef {
    /// The shard's file.
    pub file: FileRef,
    /// Its words and fields as a file of their own; `None` where the shelf has no words.
    pub front: Option<FrontRef>,
    /// Items in it.
    pub items: u32,
    /// The unit vector in the middle of its items, `[dims]`.
    pub centroid: Vec<f32>,
    /// Its items' values, field by field.
    pub stats: Vec<FieldStats>,
    /// Whether an update added it: its items are of all kinds, so that every search looks at it.
    pub added: bool,
}

/// The first bytes of a shard, packed: its head, words and fields, with which it is searched by words.
#[derive(Debug, Clone, PartialEq)]
pub struct FrontRef {
    /// The file: the bytes in the format of zlib (RFC 1950).
    pub file: FileRef,
    /// The number of the shard's bytes that it holds, from the first on.
    pub bytes: u64,
}

/// Recall that a number of shards reached when the shelf was built.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ProbeRecall {
    /// Shards searched.
    pub probe: u32,
    /// Candidates kept in each search.
    pub ef: u32,
    /// Recall@10 against exact search.
    pub recall: f32,
}

/// Search options for callers that give none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SearchDefaults {
    /// Shards that are searched, nearest first.
    pub probe: u32,
    /// Candidates kept while walking the graphs (`ef_search`).
    pub ef: u32,
    /// The measurements that the defaults were chosen from, by rising cost.
    pub measured: Vec<ProbeRecall>,
    /// Cosines that are chance.
    pub chance: Chance,
}

/// Cosines of queries for things that the catalog does not have, as the build measured them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Chance {
    /// That of any item, on average.
    pub any: f32,
    /// That of the best hit: one below it is no answer.
    pub best: f32,
}

/// The words of a shelf: the file that all shards share.
#[derive(Debug, Clone, PartialEq)]
pub struct WordsRef {
    /// The file.
    pub file: FileRef,
    /// Fields whose words are counted: each shard has their lengths.
    pub fields: u32,
    /// Words that updates added.
    pub added: Option<FileRef>,
}

/// The description of a shelf.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The version of nearshelf that built it.
    pub built_by: String,
    /// The seed of the clustering and the graphs.
    pub seed: u64,
    /// Components of a vector.
    pub dims: u32,
    /// The field that was taken as id.
    pub id_field: String,
    /// The fields whose texts were encoded, in their order.
    pub text_fields: Vec<String>,
    /// The fields that items come back with.
    pub fields: Vec<Field>,
    /// The query encoder.
    pub encoder: EncoderFiles,
    /// The words; `None` where items are found by meaning alone.
    pub words: Option<WordsRef>,
    /// The shards.
    pub shards: Vec<ShardRef>,
    /// Changes of items since the build, in their order.
    pub changes: Vec<FileRef>,
    /// The texts that items were made of, for those of each build and update: tools read them, no search does.
    pub sources: Vec<FileRef>,
    /// Search defaults.
    pub search: SearchDefaults,
}
