//! Texts one behind the other: where each starts, and their bytes.

use std::ops::Range;

use nearshelf_container::{Absent, Kind, Storage};
use nearshelf_index::{Shard, ShardBuilder};

use crate::error::{Error, Result};

/// Where each item's text starts, and where the last one ends: `u32 [items + 1]`.
pub(crate) const STARTS: Kind = Kind::new(b"TXTS");
/// The texts, one behind the other, in UTF-8.
pub(super) const BYTES: Kind = Kind::new(b"TXTB");
/// The sections of a text column.
pub(crate) const TEXTS: (Kind, Kind) = (STARTS, BYTES);

/// Text `item` of the sections `(starts, bytes)`; `None` where there is none that can be read.
pub(crate) fn read<S: Storage>(
    shard: &Shard<S>,
    column: u32,
    (starts, bytes): (Kind, Kind),
    item: u32,
) -> Result<Option<&str>, Absent> {
    let Some(range) = range(shard, column, starts, item)? else {
        return Ok(None);
    };
    let text = shard.part(bytes, column, range)?;
    Ok(text.and_then(|text| std::str::from_utf8(text).ok()))
}

/// Entry `item` of a section of starts.
pub(crate) fn range<S: Storage>(
    shard: &Shard<S>,
    column: u32,
    starts: Kind,
    item: u32,
) -> Result<Option<Range<usize>>, Absent> {
    let at = 4 * item as usize;
    let Some(entry) = shard.part(starts, column, at..at + 8)? else {
        return Ok(None);
    };
    let [start, end] = [0, 4].map(|at| {
        let raw = entry[at..].first_chunk().copied().unwrap_or_default();
        u32::from_le_bytes(raw) as usize
    });
    Ok((start <= end).then_some(start..end))
}

pub(crate) fn write(
    shard: &mut ShardBuilder,
    column: u32,
    (starts, bytes): (Kind, Kind),
    texts: &[&str],
) -> Result<()> {
    let mut start_bytes = 0u32.to_le_bytes().to_vec();
    let mut all = Vec::new();
    for text in texts {
        all.extend_from_slice(text.as_bytes());
        start_bytes.extend(end(column, all.len())?);
    }
    shard.section(starts, column, start_bytes);
    shard.section(bytes, column, all);
    Ok(())
}

/// Where an entry ends, as a section of starts has it.
pub(crate) fn end(column: u32, len: usize) -> Result<[u8; 4]> {
    u32::try_from(len)
        .map(u32::to_le_bytes)
        .map_err(|_| Error::Mismatch {
            file: "shard".into(),
            place: format!("column {column}"),
            expected: "at most 4 GiB".into(),
            found: format!("{len} bytes"),
        })
}
