//! The manifest: what a shelf is made of.

mod files;
mod stats;
mod wire;

pub use files::{EncoderFiles, FileRef, PartRef};
pub use stats::{FieldStats, ValueStats};

use serde::Serialize;

use crate::columns::FieldKind;
use crate::error::{Error, Result};

/// The manifest's name in the shelf's directory: the one file whose name is not its content's hash.
pub const MANIFEST_NAME: &str = "shelf.nsm";

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
    /// Items in it.
    pub items: u32,
    /// The unit vector in the middle of its items, `[dims]`.
    pub centroid: Vec<f32>,
    /// Its items' values, field by field.
    pub stats: Vec<FieldStats>,
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

/// How a search goes when the caller does not say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SearchDefaults {
    /// Shards that are searched, nearest first.
    pub probe: u32,
    /// Candidates kept while walking the graphs (`ef_search`).
    pub ef: u32,
    /// What the defaults were chosen from, by rising cost.
    pub measured: Vec<ProbeRecall>,
}

/// What a shelf is made of.
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
    /// The shards.
    pub shards: Vec<ShardRef>,
    /// Search defaults.
    pub search: SearchDefaults,
}

impl Manifest {
    /// Items in all shards.
    pub fn items(&self) -> u64 {
        self.shards.iter().map(|s| u64::from(s.items)).sum()
    }

    /// Every file of the shelf but the manifest itself.
    pub fn files(&self) -> impl Iterator<Item = &FileRef> {
        let shards = self.shards.iter().map(|s| &s.file);
        self.encoder.files().into_iter().chain(shards)
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        wire::write(self)
    }

    /// Parses and checks a manifest; `file` names it in errors.
    ///
    /// # Errors
    /// Damage of any kind, a newer version, or values that contradict one another.
    pub fn from_bytes(file: &str, bytes: &[u8]) -> Result<Self> {
        let manifest = wire::read(bytes).map_err(|source| Error::File {
            file: file.to_owned(),
            source,
        })?;
        manifest.check(file)?;
        Ok(manifest)
    }

    fn check(&self, file: &str) -> Result<()> {
        let error = |place: &str, expected: String, found: String| Error::Mismatch {
            file: file.to_owned(),
            place: place.to_owned(),
            expected,
            found,
        };
        let dims = self.dims as usize;
        if !(1..=8192).contains(&dims) {
            return Err(error("dims", "1 to 8192".into(), dims.to_string()));
        }
        for name in self.files().map(|f| &f.name) {
            // A name, not a path: a shelf reads nothing outside its own directory.
            let plain = name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
            if !plain || name.starts_with('.') || name.is_empty() {
                let expected = "a name of letters, digits, '-', '_' and '.'".into();
                return Err(error("file name", expected, format!("{name:?}")));
            }
        }
        for (i, shard) in self.shards.iter().enumerate() {
            let found = shard.centroid.len();
            if found != dims || !shard.centroid.iter().all(|x| x.is_finite()) {
                return Err(error(
                    &format!("centroid of shard {i}"),
                    format!("{dims} finite numbers"),
                    format!("{found} numbers: {:?} …", &shard.centroid[..found.min(4)]),
                ));
            }
            if shard.stats.len() != self.fields.len() {
                let expected = format!("statistics of {} fields", self.fields.len());
                let found = shard.stats.len().to_string();
                return Err(error(&format!("shard {i}"), expected, found));
            }
        }
        if self.shards.is_empty() {
            return Err(error("shards", "one or more".into(), "none".into()));
        }
        Ok(())
    }
}
