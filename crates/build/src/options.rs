//! Options of a build.

use std::path::PathBuf;

use nearshelf_index::{MAX_ITEMS, Precision};

use crate::error::{Error, Result};
use crate::items::ItemOptions;
use crate::link::{EF_CONSTRUCTION, Linking};
use crate::progress::Progress;
use crate::words::{self, WordOptions};

/// Options of a build.
#[derive(Debug, Clone)]
pub struct BuildOptions {
    /// The fields of the rows.
    pub items: ItemOptions,
    /// The words of the texts.
    pub words: WordOptions,
    /// Items in a shard, at most: smaller ones come over a network sooner.
    pub shard_size: usize,
    /// Seed of clustering and graphs.
    pub seed: u64,
    /// Threads; 0 for as many as the machine has.
    pub threads: usize,
    /// Candidates kept while instant-distance links an item with its neighbours (`ef_construction` of the HNSW paper).
    pub ef_construction: usize,
    /// Precision that vectors are stored with.
    pub precision: Precision,
    /// Recall@10 against exact search that the shelf's defaults have to reach.
    pub recall: f64,
    /// A file of NumPy's with the items' vectors, float32 `[n][dims]` of length 1 in the order of the good rows, instead of
    /// encoding.
    pub vectors: Option<PathBuf>,
    /// A file of vectors that were kept: texts that it has are not encoded again.
    pub reuse: Option<PathBuf>,
    /// A file that the vectors are kept in, by their texts.
    pub keep_vectors: Option<PathBuf>,
    /// Go on from the vectors of a build of the same items that was killed.
    pub resume: bool,
}

impl Default for BuildOptions {
    fn default() -> Self {
        BuildOptions {
            items: ItemOptions::default(),
            words: WordOptions::default(),
            shard_size: MAX_ITEMS,
            seed: 0,
            threads: 0,
            ef_construction: EF_CONSTRUCTION,
            precision: Precision::default(),
            // Above the 0.98 that is promised: the queries that measure it are made of the catalog's own words, those of
            // shoppers are not.
            recall: 0.99,
            vectors: None,
            reuse: None,
            keep_vectors: None,
            resume: false,
        }
    }
}

impl BuildOptions {
    /// The settings of the graph.
    pub(crate) fn linking<'a>(&self, threads: usize, progress: &'a dyn Progress) -> Linking<'a> {
        Linking {
            ef_construction: self.ef_construction,
            seed: self.seed,
            threads,
            progress,
        }
    }

    /// Whether each option is in its range.
    pub(crate) fn check(&self) -> Result<()> {
        let error = |option, expected: String, found: String| Error::Option {
            option,
            expected,
            found,
        };
        if !(1..=MAX_ITEMS).contains(&self.shard_size) {
            let expected = format!("1 to {MAX_ITEMS}");
            return Err(error("shard size", expected, self.shard_size.to_string()));
        }
        if !(self.recall > 0.0 && self.recall <= 1.0) {
            let expected = "a share above 0, 1 at most".into();
            return Err(error("recall", expected, self.recall.to_string()));
        }
        words::check(&self.items)
    }
}
