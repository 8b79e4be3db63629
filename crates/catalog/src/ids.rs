//! Items by id.

use nearshelf_container::{Absent, Kind, Storage};
use nearshelf_index::{Shard, ShardBuilder};

use crate::columns::plain;
use crate::error::{Error, Result};

/// The column of the ids.
pub(crate) const ID_COLUMN: u32 = 0;

/// The items in the order of their ids' bytes: `u16 [items]`.
pub(crate) const ORDER: Kind = Kind::new(b"IDOR");

/// The id of an item; `None` past the last one, or where damage makes it unreadable.
///
/// # Errors
/// The id is not here.
pub(crate) fn id<S: Storage>(shard: &Shard<S>, item: u32) -> Result<Option<&str>, Absent> {
    plain::read(shard, ID_COLUMN, plain::TEXTS, item)
}

/// Writes the ids and their order.
///
/// # Errors
/// Ids of more than 4 GiB.
pub(crate) fn write(shard: &mut ShardBuilder, ids: &[&str]) -> Result<()> {
    plain::write(shard, ID_COLUMN, plain::TEXTS, ids)?;
    let mut order: Vec<u16> = (0..ids.len() as u16).collect();
    order.sort_by_key(|&item| (ids[usize::from(item)], item));
    let bytes = order.iter().flat_map(|item| item.to_le_bytes());
    shard.section(ORDER, ID_COLUMN, bytes.collect());
    Ok(())
}

/// The item with this place in the order of ids.
fn item_at<S: Storage>(shard: &Shard<S>, place: usize) -> Result<u32, Absent> {
    let raw = shard.part(ORDER, ID_COLUMN, 2 * place..2 * place + 2)?;
    let raw = raw.and_then(|raw| raw.first_chunk().copied());
    Ok(raw.map_or(u32::MAX, |raw| u16::from_le_bytes(raw).into()))
}

/// The item with this id.
///
/// # Errors
/// The ids are not here.
pub(crate) fn find<S: Storage>(shard: &Shard<S>, wanted: &str) -> Result<Option<u32>, Absent> {
    let (mut low, mut high) = (0, shard.len());
    while low < high {
        let middle = (low + high) / 2;
        let item = item_at(shard, middle)?;
        // An unreadable id is damage: it sorts first, and the search ends somewhere.
        match id(shard, item)?.unwrap_or_default().cmp(wanted) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Equal => return Ok(Some(item)),
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    Ok(None)
}

/// Checks that ids stand in rising order.
pub(crate) fn verify<S: Storage>(file: &str, shard: &Shard<S>) -> Result<()> {
    let absent = |absent: Absent| Error::File {
        file: file.to_owned(),
        source: absent.into(),
    };
    let mut before = None;
    for place in 0..shard.len() {
        let item = item_at(shard, place).map_err(absent)?;
        let found = id(shard, item).map_err(absent)?;
        if found.is_none() || found < before {
            return Err(Error::Mismatch {
                file: file.to_owned(),
                place: format!("section {ORDER} {ID_COLUMN}, place {place}"),
                expected: "items in the order of their ids".into(),
                found: format!("item {item}, {found:?} behind {before:?}"),
            });
        }
        before = found;
    }
    Ok(())
}
