//! Bool columns: `u8 [items]`.

use nearshelf_container::{Absent, Kind, Storage};
use nearshelf_index::{Allowed, Shard, ShardBuilder};

use super::value::Value;

/// `u8 [items]`, 0 or 1.
pub(super) const BOOLS: Kind = Kind::new(b"BOOL");

pub(super) fn write<'a>(
    shard: &mut ShardBuilder,
    column: u32,
    values: impl Iterator<Item = Option<&'a Value>>,
) {
    let bytes = values.map(|value| u8::from(value == Some(&Value::Bool(true))));
    shard.section(BOOLS, column, bytes.collect());
}

pub(super) fn read<S: Storage>(
    shard: &Shard<S>,
    column: u32,
    item: u32,
) -> Result<Option<bool>, Absent> {
    let at = item as usize;
    let byte = shard.part(BOOLS, column, at..at + 1)?;
    Ok(byte.map(|byte| byte[0] != 0))
}

/// Items with this value; items without one count as false.
pub(super) fn matching<S: Storage>(
    shard: &Shard<S>,
    column: u32,
    wanted: bool,
) -> Result<Allowed, Absent> {
    let bytes = shard
        .part(BOOLS, column, 0..shard.len())?
        .unwrap_or_default();
    let value = |item: u16| bytes.get(usize::from(item)).map(|byte| *byte != 0);
    Ok(Allowed::where_(shard.len(), |item| {
        value(item) == Some(wanted)
    }))
}
