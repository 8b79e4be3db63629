//! Which rows are held out: by a hash, so that a row stays on its side when others come and go.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::judged::Judged;

/// The key that a side has to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SplitBy {
    /// All rows of a query.
    Query,
    /// All rows of an item.
    Item,
}

/// The two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// For training.
    Train,
    /// Held out.
    Dev,
}

/// A split: xxh3 of the lower-cased text with the seed, as a share of 2^64; below `dev` is held out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// The key that a side has to itself.
    pub by: SplitBy,
    /// The share that is held out.
    pub dev: f64,
    /// The seed of the hash.
    #[serde(default)]
    pub seed: u64,
}

impl Split {
    /// The side of a row.
    pub fn side(&self, row: &Judged) -> Side {
        let key = match self.by {
            SplitBy::Query => &row.query,
            SplitBy::Item => &row.item,
        };
        let hash = xxh3_64_with_seed(key.trim().to_lowercase().as_bytes(), self.seed);
        if (hash as f64) < self.dev * 2f64.powi(64) {
            Side::Dev
        } else {
            Side::Train
        }
    }

    /// Cuts rows into training and held-out ones.
    pub fn cut(&self, rows: Vec<Judged>) -> (Vec<Judged>, Vec<Judged>) {
        rows.into_iter()
            .partition(|row| self.side(row) == Side::Train)
    }
}
