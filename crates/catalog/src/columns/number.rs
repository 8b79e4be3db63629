//! Number columns: `f64 [items]`.

use nearshelf_container::{Absent, Kind, Storage};
use nearshelf_index::{Allowed, Shard, ShardBuilder};

use super::value::Value;

/// `f64 [items]`, 0 where there is none.
pub(super) const NUMBERS: Kind = Kind::new(b"NUMB");

pub(super) fn write<'a>(
    shard: &mut ShardBuilder,
    column: u32,
    values: impl Iterator<Item = Option<&'a Value>>,
) {
    let number = |value: Option<&Value>| match value {
        Some(Value::Number(number)) => *number,
        _ => 0.0,
    };
    let bytes = values.flat_map(|value| number(value).to_le_bytes());
    shard.section(NUMBERS, column, bytes.collect());
}

pub(super) fn read<S: Storage>(
    shard: &Shard<S>,
    column: u32,
    item: u32,
) -> Result<Option<f64>, Absent> {
    let at = 8 * item as usize;
    let raw = shard.part(NUMBERS, column, at..at + 8)?;
    let raw = raw.and_then(|raw| raw.first_chunk().copied());
    Ok(raw.map(f64::from_le_bytes))
}

/// The numbers of all items of a shard; 0 where there is none.
///
/// # Errors
/// The column is not here.
pub(super) fn all<S: Storage>(shard: &Shard<S>, column: u32) -> Result<&[[u8; 8]], Absent> {
    let bytes = shard.section(NUMBERS, column)?;
    Ok(bytes.unwrap_or_default().as_chunks().0)
}

/// Items whose number passes; items without one pass as 0.
pub(super) fn matching<S: Storage>(
    shard: &Shard<S>,
    column: u32,
    passes: impl Fn(f64) -> bool,
) -> Result<Allowed, Absent> {
    let numbers = all(shard, column)?;
    Ok(Allowed::of_values(
        &numbers[..numbers.len().min(shard.len())],
        |raw| passes(f64::from_le_bytes(*raw)),
    ))
}
