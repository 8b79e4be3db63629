//! The manifest: what a shelf is made of.

mod description;
mod files;
mod stats;
mod wire;

pub use description::{
    Chance, Field, FrontRef, Manifest, ProbeRecall, SearchDefaults, ShardRef, WordsRef,
};
pub use files::{EncoderFiles, FileRef, PartRef};
pub use stats::{FieldStats, ValueStats};

use crate::error::{Error, Result};

/// The manifest's name in the shelf's directory: the one file whose name is not its content's hash.
pub const MANIFEST_NAME: &str = "shelf.nsm";

impl Manifest {
    /// Items in all shards.
    pub fn items(&self) -> u64 {
        self.shards.iter().map(|s| u64::from(s.items)).sum()
    }

    /// Every file that searches read, in an order in which they can be attached.
    pub fn files(&self) -> impl Iterator<Item = &FileRef> {
        let shards = self.shards.iter().map(|s| &s.file);
        let words = self.words.iter();
        let words = words.flat_map(|words| std::iter::once(&words.file).chain(&words.added));
        let encoder = self.encoder.files().into_iter();
        encoder.chain(words).chain(&self.changes).chain(shards)
    }

    /// The files that no search here reads: fronts of shards, which pages fetch, and sources, which tools do.
    pub fn other_files(&self) -> impl Iterator<Item = &FileRef> {
        let fronts = self.shards.iter().flat_map(|shard| &shard.front);
        fronts.map(|front| &front.file).chain(&self.sources)
    }

    /// Every file of the shelf but the manifest itself.
    pub fn all_files(&self) -> impl Iterator<Item = &FileRef> {
        self.files().chain(self.other_files())
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
        for name in self.all_files().map(|f| &f.name) {
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
            if let Some(front) = shard
                .front
                .as_ref()
                .filter(|front| front.bytes > shard.file.bytes)
            {
                let expected = format!("at most the shard's {} bytes", shard.file.bytes);
                let place = format!("front of shard {i}");
                return Err(error(&place, expected, front.bytes.to_string()));
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
