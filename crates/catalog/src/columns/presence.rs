//! Which items have a value.

use nearshelf_container::{Absent, Kind, Storage};
use nearshelf_index::{Allowed, Shard, ShardBuilder};

use super::value::Value;

/// A bit for each item, bit i mod 8 of byte i / 8; absent where all have a value.
pub(super) const PRESENCE: Kind = Kind::new(b"PRES");

pub(super) fn write<'a>(
    shard: &mut ShardBuilder,
    column: u32,
    values: impl ExactSizeIterator<Item = Option<&'a Value>> + Clone,
) {
    if values.clone().all(|value| value.is_some()) {
        return;
    }
    let mut bits = vec![0u8; values.len().div_ceil(8)];
    for (i, value) in values.enumerate() {
        bits[i / 8] |= u8::from(value.is_some()) << (i % 8);
    }
    shard.section(PRESENCE, column, bits);
}

pub(super) fn is_present<S: Storage>(
    shard: &Shard<S>,
    column: u32,
    item: u32,
) -> Result<bool, Absent> {
    if shard.head().find(PRESENCE, column).is_none() {
        return Ok(true);
    }
    let at = item as usize / 8;
    let byte = shard.part(PRESENCE, column, at..at + 1)?;
    Ok(byte.is_some_and(|byte| byte[0] >> (item % 8) & 1 == 1))
}

/// Items that have a value.
pub(super) fn present<S: Storage>(shard: &Shard<S>, column: u32) -> Result<Allowed, Absent> {
    let items = shard.len();
    if shard.head().find(PRESENCE, column).is_none() {
        return Ok(Allowed::all(items));
    }
    let bits = shard.part(PRESENCE, column, 0..items.div_ceil(8))?;
    let bits = bits.unwrap_or_default();
    let bit = |item: u16| {
        bits.get(usize::from(item / 8))
            .map(|byte| byte >> (item % 8) & 1)
    };
    Ok(Allowed::where_(items, |item| bit(item) == Some(1)))
}
