//! Tags columns: numbers of words in a dictionary.

use std::collections::HashMap;

use nearshelf_container::{Absent, Kind, Storage};
use nearshelf_index::{Allowed, Shard, ShardBuilder};

use super::text::{self, end, range};
use super::value::Value;
use crate::error::Result;

/// Where each item's tags start in `TAGI`: `u32 [items + 1]`.
pub(super) const STARTS: Kind = Kind::new(b"TAGS");
/// Tags of the items, as numbers in the dictionary: `u32`.
const IDS: Kind = Kind::new(b"TAGI");
/// Where each word of the dictionary starts: `u32 [words + 1]`.
const WORD_STARTS: Kind = Kind::new(b"WRDS");
/// The dictionary's words, in UTF-8, in rising order.
const WORD_BYTES: Kind = Kind::new(b"WRDB");
const WORDS: (Kind, Kind) = (WORD_STARTS, WORD_BYTES);

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
    text::write(shard, column, WORDS, &words)
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
    ids.map(|id| text::read(shard, column, WORDS, id)).collect()
}

/// Items with a tag of `words`, which rise.
pub(super) fn matching<S: Storage>(
    shard: &Shard<S>,
    column: u32,
    words: &[String],
) -> Result<Allowed, Absent> {
    let known = shard.head().find(WORD_STARTS, column);
    let known = known.map_or(0, |range| (range.len() / 4).saturating_sub(1)) as u32;
    let mut wanted = Vec::new();
    for id in 0..known {
        let word = text::read(shard, column, WORDS, id)?;
        let is_wanted = |word| words.binary_search_by(|w| w.as_str().cmp(word)).is_ok();
        if word.is_some_and(is_wanted) {
            wanted.push(id);
        }
    }
    let mut allowed = Allowed::none(shard.len());
    for item in 0..shard.len() as u32 {
        let Some(range) = range(shard, column, STARTS, item)? else {
            continue;
        };
        let ids = shard.part(IDS, column, 4 * range.start..4 * range.end)?;
        let ids = ids.unwrap_or_default().as_chunks().0.iter();
        let mut ids = ids.map(|&id| u32::from_le_bytes(id));
        if let (true, Ok(item)) = (
            ids.any(|id| wanted.binary_search(&id).is_ok()),
            u16::try_from(item),
        ) {
            allowed.insert(item);
        }
    }
    Ok(allowed)
}
