//! A graph that no longer changes, to be walked through.

use nearshelf_index::{CodedVectors, Links, Slice, Slices};

use super::lists::Lists;
use super::vectors::Vectors;
use crate::error::{Error, Result};

/// Items that walks may start from, in all shards, and in each at the least.
const ENTRIES: usize = 128;
const ENTRIES_OF_A_SHARD: usize = 8;

/// The items of a shard that walks may start from, of a shelf with `all` items.
pub fn entries(items: usize, all: usize) -> usize {
    (ENTRIES * items / all.max(1))
        .max(ENTRIES_OF_A_SHARD)
        .min(items)
}

/// A graph that no longer changes.
pub struct Frozen {
    links: Vec<Links>,
}

impl Frozen {
    /// Packs the links of all shards.
    pub fn new(vectors: &Vectors, lists: &Lists) -> Result<Self> {
        let pack = |(shard, coded): (usize, &CodedVectors)| {
            let items = 0..coded.len() as u32;
            let of = |item| lists.of(vectors.number(shard, item));
            Links::new(items.map(of)).map_err(|source| Error::Shard { shard, source })
        };
        let shards = vectors.shards().iter().enumerate();
        let links = shards.map(pack).collect::<Result<_>>()?;
        Ok(Frozen { links })
    }

    /// The links of each shard.
    pub fn links(&self) -> &[Links] {
        &self.links
    }

    /// The same, without the rest.
    pub fn into_links(self) -> Vec<Links> {
        self.links
    }

    /// All shards, to be walked through.
    pub fn slices<'a>(&'a self, vectors: &'a Vectors) -> Slices<'a> {
        let mut slices = Slices::new(vectors.numbering(), vectors.dims());
        let all = vectors.len();
        for (shard, (coded, links)) in vectors.shards().iter().zip(&self.links).enumerate() {
            let slice = Slice {
                dims: coded.dims(),
                codes: coded.coarse(),
                links: links.rows(),
                items: coded.len(),
                entries: entries(coded.len(), all),
            };
            slices.add(shard, slice);
        }
        slices
    }
}
