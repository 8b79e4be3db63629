//! The words of a shard: its terms, their posting lists and the lengths of its items' fields, in sections of its file.

use std::ops::Range;

use nearshelf_container::{Absent, Head, Kind, Result, Storage};

use crate::bm25::{FieldNorm, Lengths, Shares};
use crate::postings::List;
use crate::terms::{TermId, Terms};

/// Heads of the blocks of the term table: see [`crate::terms`].
pub(crate) const TERM_HEADS: Kind = Kind::new(b"TRMH");
/// The entries of the term table.
pub(crate) const TERM_ENTRIES: Kind = Kind::new(b"TRME");
/// The posting lists, in the order of the terms: see [`crate::postings`].
pub(crate) const LISTS: Kind = Kind::new(b"POST");
/// Tokens of each item in a field, `u8 [items]` or `u16 [items]`.
pub(crate) const LENGTHS: Kind = Kind::new(b"LENS");

/// The places of a shard's words in its file.
#[derive(Debug, Clone)]
pub struct WordSections {
    heads: Range<usize>,
    entries: Range<usize>,
    lists: Range<usize>,
    lengths: Vec<Range<usize>>,
    items: usize,
}

impl WordSections {
    /// Finds the sections in a shard's head; `None` where it has no words.
    ///
    /// # Errors
    /// A section that is missing, or lengths of another number of items.
    pub fn open(head: &Head, items: usize, fields: usize) -> Result<Option<Self>> {
        let Some(heads) = head.find(TERM_HEADS, 0) else {
            return Ok(None);
        };
        let length = |field: u32| {
            let found = head.need(LENGTHS, field)?;
            match found.len() == 2 * items {
                true => Ok(found),
                false => head.sized(LENGTHS, field, items as u64),
            }
        };
        Ok(Some(WordSections {
            heads,
            entries: head.need(TERM_ENTRIES, 0)?,
            lists: head.need(LISTS, 0)?,
            lengths: (0..fields as u32).map(length).collect::<Result<_>>()?,
            items,
        }))
    }

    /// The words of the shard in a storage.
    ///
    /// # Errors
    /// The term table or the lengths are not here.
    pub fn read<'a, S: Storage>(&self, storage: &'a S) -> Result<ShardWords<'a, S>, Absent> {
        let lengths = self.lengths.iter().map(|range| {
            let bytes = storage.read(range.clone())?;
            Ok(Lengths::new(bytes, self.items))
        });
        Ok(ShardWords {
            storage,
            terms: Terms {
                heads: storage.read(self.heads.clone())?,
                entries: storage.read(self.entries.clone())?,
            },
            lists: self.lists.clone(),
            lengths: lengths.collect::<Result<_, Absent>>()?,
            items: self.items,
        })
    }
}

/// The words of a shard, read in place.
#[derive(Debug)]
pub struct ShardWords<'a, S> {
    storage: &'a S,
    terms: Terms<'a>,
    lists: Range<usize>,
    lengths: Vec<Lengths<'a>>,
    items: usize,
}

/// A term's list, and the most that a posting of it counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'a> {
    pub list: List<'a>,
    pub largest: f32,
}

impl<'a, S: Storage> ShardWords<'a, S> {
    /// Items of the shard.
    pub(crate) fn items(&self) -> usize {
        self.items
    }

    /// The posting list of a term; `None` where no item holds it.
    ///
    /// # Errors
    /// The list is not here.
    pub(crate) fn list(&self, term: TermId) -> Result<Option<Found<'a>>, Absent> {
        let Some(found) = self.terms.find(term) else {
            return Ok(None);
        };
        if found.end < found.start || found.end > self.lists.len() {
            return Ok(None);
        }
        let range = self.lists.start + found.start..self.lists.start + found.end;
        Ok(Some(Found {
            list: List::new(self.storage.read(range)?),
            largest: found.largest,
        }))
    }

    /// The shares of postings.
    pub(crate) fn shares<'n>(&'n self, norms: &'n [FieldNorm]) -> Shares<'n> {
        Shares {
            norms,
            lengths: &self.lengths,
        }
    }
}
