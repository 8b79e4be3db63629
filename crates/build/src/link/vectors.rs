//! The coded vectors of a shelf.

use nearshelf_index::codes::Codes;
use nearshelf_index::{CodedVectors, Numbering, Precision, Query};

/// Coded vectors by the numbers of their items.
pub trait Coded: Sync {
    /// The codes of a number; `None` between shards.
    fn codes(&self, number: u32) -> Option<Codes<'_>>;

    /// Precision and dimensions of all vectors; `None` where there is none.
    fn shape(&self) -> Option<(Precision, usize)>;

    /// A stored vector as a query for walks; `None` between shards.
    fn query(&self, number: u32) -> Option<Query> {
        let (precision, dims) = self.shape()?;
        Some(Query::of_codes(self.codes(number)?, precision, dims))
    }
}

impl Coded for Vectors {
    fn codes(&self, number: u32) -> Option<Codes<'_>> {
        let (shard, item) = self.numbering.place(number)?;
        let shard = self.shards.get(shard)?;
        ((item as usize) < shard.len()).then(|| shard.codes(item as usize))
    }

    fn shape(&self) -> Option<(Precision, usize)> {
        let shard = self.shards.first()?;
        Some((shard.precision(), shard.dims()))
    }
}

/// The coded vectors of all shards, in the order of the files.
pub struct Vectors {
    numbering: Numbering,
    shards: Vec<CodedVectors>,
}

impl Vectors {
    /// The vectors of these shards.
    pub fn new(shards: Vec<CodedVectors>) -> Self {
        let numbering = Numbering::new(shards.iter().map(|shard| shard.len() as u32));
        Vectors { numbering, shards }
    }

    /// Components of a vector.
    pub fn dims(&self) -> usize {
        self.shards.first().map_or(0, CodedVectors::dims)
    }

    /// Vectors of all shards.
    pub fn len(&self) -> usize {
        self.shards.iter().map(CodedVectors::len).sum()
    }

    /// The shards' vectors.
    pub fn shards(&self) -> &[CodedVectors] {
        &self.shards
    }

    /// The numbers of all items.
    pub fn numbering(&self) -> &Numbering {
        &self.numbering
    }

    /// The number of an item.
    pub fn number(&self, shard: usize, item: u32) -> u32 {
        self.numbering.number(shard, item)
    }
}
