//! The dictionary of a column: its texts, each once, in rising order. Items name them by their numbers.

use nearshelf_container::{Absent, Kind, Storage};
use nearshelf_index::{Shard, ShardBuilder};

use super::plain;
use crate::error::Result;

/// Where each word of the dictionary starts: `u32 [words + 1]`.
pub(super) const STARTS: Kind = Kind::new(b"WRDS");
/// The dictionary's words, in UTF-8, in rising order.
pub(super) const BYTES: Kind = Kind::new(b"WRDB");

/// Writes words, which rise.
pub(super) fn write(shard: &mut ShardBuilder, column: u32, words: &[&str]) -> Result<()> {
    plain::write(shard, column, (STARTS, BYTES), words)
}

/// Word `number`, read alone.
pub(super) fn word<S: Storage>(
    shard: &Shard<S>,
    column: u32,
    number: u32,
) -> Result<Option<&str>, Absent> {
    plain::read(shard, column, (STARTS, BYTES), number)
}

/// A dictionary as a whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dictionary<'a> {
    starts: &'a [[u8; 4]],
    bytes: &'a [u8],
}

impl<'a> Dictionary<'a> {
    /// Reads a column's dictionary; an empty one where it has none.
    ///
    /// # Errors
    /// Its sections are not here.
    pub fn read<S: Storage>(shard: &'a Shard<S>, column: u32) -> Result<Self, Absent> {
        Ok(Dictionary {
            starts: shard
                .section(STARTS, column)?
                .unwrap_or_default()
                .as_chunks()
                .0,
            bytes: shard.section(BYTES, column)?.unwrap_or_default(),
        })
    }

    /// Words.
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// A word; `None` past the last one, or where damage makes it unreadable.
    pub fn word(&self, number: usize) -> Option<&'a str> {
        let start = |at: usize| {
            self.starts
                .get(at)
                .map(|&raw| u32::from_le_bytes(raw) as usize)
        };
        let word = self.bytes.get(start(number)?..start(number + 1)?)?;
        std::str::from_utf8(word).ok()
    }

    /// The number of a word.
    pub fn find(&self, word: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = (low + high) / 2;
            match self.word(middle).unwrap_or_default().cmp(word) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// Which numbers are those of `words`.
    pub fn marks(&self, words: &[String]) -> Vec<bool> {
        let mut marks = vec![false; self.len()];
        for number in words.iter().filter_map(|word| self.find(word)) {
            marks[number] = true;
        }
        marks
    }
}
