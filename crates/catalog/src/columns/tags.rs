//! Tags columns: numbers of words in a dictionary.

use std::collections::HashMap;

use nearshelf_container::{Absent, Kind, Storage};
use nearshelf_index::{Allowed, Shard, ShardBuilder};

use super::dictionary::{self, Dictionary};
use super::plain::{end, range};
use super::value::Value;
use crate::error::Result;

/// Where each item's tags start in `TAGI`: `u32 [items + 1]`.
pub(super) const STARTS: Kind = Kind::new(b"TAGS");
/// Tags of the items, as numbers in the dictionary: `u32`.
const IDS: Kind = Kind::new(b"TAGI");

pub(super) fn write<'a>(
    shard: &mut ShardBuilder,
    column: u32,
    values: impl Iterator<Item = Option<&'a Value>> + Clone,
) -> Result<()> {
    let tags = |value: Option<&'a Value>| match value {
        Some(Value::Tags(tags)) => tags.as_slice(),
        _ => &[],
    };
    let mut words: Vec<&str> = values.clone().flat_map(tags).map(String::as_str).collect();
    words.sort_unstable();
    words.dedup();
    let numbers: HashMap<&str, u32> = words.iter().copied().zip(0..).collect();
    let mut starts = 0u32.to_le_bytes().to_vec();
    let mut ids: Vec<u8> = Vec::new();
    for value in values {
        let of_item = tags(value).iter();
        ids.extend(of_item.flat_map(|tag| numbers[tag.as_str()].to_le_bytes()));
        starts.extend(end(column, ids.len() / 4)?);
    }
    shard.section(STARTS, column, starts);
    shard.section(IDS, column, ids);
    dictionary::write(shard, column, &words)
}

pub(super) fn read<S: Storage>(
    shard: &Shard<S>,
    column: u32,
    item: u32,
) -> Result<Option<Vec<&str>>, Absent> {
    let Some(range) = range(shard, column, STARTS, item)? else {
        return Ok(None);
    };
    let Some(ids) = shard.part(IDS, column, 4 * range.start..4 * range.end)? else {
        return Ok(None);
    };
    let ids = ids.as_chunks().0.iter().map(|&id| u32::from_le_bytes(id));
    ids.map(|id| dictionary::word(shard, column, id)).collect()
}

/// The tags of all items of a shard, as numbers of words.
pub(super) struct AllTags<'a> {
    starts: &'a [[u8; 4]],
    ids: &'a [[u8; 4]],
    /// The words.
    pub dictionary: Dictionary<'a>,
}

impl<'a> AllTags<'a> {
    /// Reads a column.
    ///
    /// # Errors
    /// Its sections are not here.
    pub fn read<S: Storage>(shard: &'a Shard<S>, column: u32) -> Result<Self, Absent> {
        let section = |kind| {
            Ok(shard
                .section(kind, column)?
                .unwrap_or_default()
                .as_chunks()
                .0)
        };
        Ok(AllTags {
            starts: section(STARTS)?,
            ids: section(IDS)?,
            dictionary: Dictionary::read(shard, column)?,
        })
    }

    /// The numbers of an item's tags.
    pub fn of(&self, item: u16) -> impl Iterator<Item = usize> + use<'a> {
        let start = |at: usize| {
            self.starts
                .get(at)
                .map(|&raw| u32::from_le_bytes(raw) as usize)
        };
        let item = usize::from(item);
        let range = start(item).zip(start(item + 1));
        let ids = range.and_then(|(start, end)| self.ids.get(start..end));
        let ids = ids.unwrap_or_default().iter();
        ids.map(|&raw| u32::from_le_bytes(raw) as usize)
    }
}

/// Items with a tag of `words`, which rise.
pub(super) fn matching<S: Storage>(
    shard: &Shard<S>,
    column: u32,
    words: &[String],
) -> Result<Allowed, Absent> {
    let tags = AllTags::read(shard, column)?;
    let wanted = tags.dictionary.marks(words);
    Ok(Allowed::where_(shard.len(), |item| {
        tags.of(item)
            .any(|number| wanted.get(number) == Some(&true))
    }))
}
