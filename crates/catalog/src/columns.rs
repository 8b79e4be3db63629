//! The items' fields, a column each, in sections of the shard: a value is found in O(1) and read in
//! place. Column 0 holds the ids, column 1 + i the manifest's field i.

use std::collections::HashMap;

use nearshelf_index::format::Kind;
use nearshelf_index::{Shard, ShardBuilder};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Which items have a value, a bit each; there is no such section where all have one.
const PRESENCE: Kind = Kind::new(b"PRES");
/// Where each item's text starts, and where the last one ends: `u32 [items + 1]`.
const TEXT_STARTS: Kind = Kind::new(b"TXTS");
/// The texts, one behind the other, in UTF-8.
const TEXT_BYTES: Kind = Kind::new(b"TXTB");
/// `f64 [items]`.
const NUMBERS: Kind = Kind::new(b"NUMB");
/// `u8 [items]`, 0 or 1.
const BOOLS: Kind = Kind::new(b"BOOL");
/// Where each item's tags start in `TAGI`: `u32 [items + 1]`.
const TAG_STARTS: Kind = Kind::new(b"TAGS");
/// Tags of the items, as numbers in the dictionary: `u32`.
const TAG_IDS: Kind = Kind::new(b"TAGI");
/// Where each word of the dictionary starts: `u32 [words + 1]`.
const WORD_STARTS: Kind = Kind::new(b"WRDS");
/// The dictionary's words, in UTF-8, in rising order.
const WORD_BYTES: Kind = Kind::new(b"WRDB");

const ID_COLUMN: u32 = 0;

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldKind {
    /// A string.
    Text,
    /// A 64-bit float.
    Number,
    /// True or false.
    Bool,
    /// A list of strings, say categories; equal ones are stored once.
    Tags,
}

/// A field's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Of a text field.
    Text(String),
    /// Of a number field.
    Number(f64),
    /// Of a bool field.
    Bool(bool),
    /// Of a tags field.
    Tags(Vec<String>),
}

/// A field's value, read in place.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ValueRef<'a> {
    /// Of a text field.
    Text(&'a str),
    /// Of a number field.
    Number(f64),
    /// Of a bool field.
    Bool(bool),
    /// Of a tags field.
    Tags(Vec<&'a str>),
}

/// The columns of a shard, checked once against its size.
#[derive(Debug, Clone)]
pub struct Columns {
    fields: Vec<FieldKind>,
}

impl Columns {
    /// Checks that the shard holds an id column and one column for each field, of the right sizes.
    ///
    /// # Errors
    /// The first section that is missing or of another size.
    pub fn open<D: AsRef<[u8]>>(
        file: &str,
        shard: &Shard<D>,
        fields: &[FieldKind],
    ) -> Result<Self> {
        let columns = Columns {
            fields: fields.to_vec(),
        };
        let items = shard.len();
        let sized = |kind: Kind, column: u32, expected: usize| {
            let found = shard.section(kind, column).map(<[u8]>::len);
            if found == Some(expected) {
                return Ok(());
            }
            Err(Error::Mismatch {
                file: file.to_owned(),
                place: format!("section {kind} {column}"),
                expected: format!("{expected} bytes"),
                found: found.map_or("none".into(), |n| n.to_string()),
            })
        };
        sized(TEXT_STARTS, ID_COLUMN, 4 * (items + 1))?;
        for (column, kind) in (1..).zip(fields) {
            match kind {
                FieldKind::Text => sized(TEXT_STARTS, column, 4 * (items + 1))?,
                FieldKind::Number => sized(NUMBERS, column, 8 * items)?,
                FieldKind::Bool => sized(BOOLS, column, items)?,
                FieldKind::Tags => sized(TAG_STARTS, column, 4 * (items + 1))?,
            }
            if shard.section(PRESENCE, column).is_some() {
                sized(PRESENCE, column, items.div_ceil(8))?;
            }
        }
        Ok(columns)
    }

    /// Writes ids and fields, `rows[item][field]`, as sections.
    ///
    /// # Errors
    /// A column of more than 4 GiB.
    pub fn write(
        shard: &mut ShardBuilder,
        ids: &[&str],
        fields: &[FieldKind],
        rows: &[&[Option<Value>]],
    ) -> Result<()> {
        write_texts(shard, ID_COLUMN, (TEXT_STARTS, TEXT_BYTES), ids)?;
        for (field, (column, kind)) in (1..).zip(fields).enumerate() {
            let values = || {
                rows.iter()
                    .map(|row| row.get(field).and_then(Option::as_ref))
            };
            if values().any(|value| value.is_none()) {
                let mut bits = vec![0u8; rows.len().div_ceil(8)];
                for (i, value) in values().enumerate() {
                    bits[i / 8] |= u8::from(value.is_some()) << (i % 8);
                }
                shard.section(PRESENCE, column, bits);
            }
            match kind {
                FieldKind::Text => {
                    let texts: Vec<&str> = values()
                        .map(|v| {
                            if let Some(Value::Text(text)) = v {
                                text
                            } else {
                                ""
                            }
                        })
                        .collect();
                    write_texts(shard, column, (TEXT_STARTS, TEXT_BYTES), &texts)?;
                }
                FieldKind::Number => {
                    let number = |v: Option<&Value>| match v {
                        Some(Value::Number(number)) => *number,
                        _ => 0.0,
                    };
                    let bytes = values().flat_map(|v| number(v).to_le_bytes()).collect();
                    shard.section(NUMBERS, column, bytes);
                }
                FieldKind::Bool => {
                    let bytes = values()
                        .map(|v| u8::from(v == Some(&Value::Bool(true))))
                        .collect();
                    shard.section(BOOLS, column, bytes);
                }
                FieldKind::Tags => write_tags(shard, column, values())?,
            }
        }
        Ok(())
    }

    /// The id of an item.
    pub fn id<'a, D: AsRef<[u8]>>(&self, shard: &'a Shard<D>, item: u32) -> Option<&'a str> {
        text(shard, ID_COLUMN, (TEXT_STARTS, TEXT_BYTES), item)
    }

    /// The value of field `field` of an item; `None` where it has none.
    pub fn value<'a, D: AsRef<[u8]>>(
        &self,
        shard: &'a Shard<D>,
        field: usize,
        item: u32,
    ) -> Option<ValueRef<'a>> {
        let (column, at) = (field as u32 + 1, item as usize);
        if at >= shard.len() {
            return None;
        }
        if let Some(bits) = shard.section(PRESENCE, column)
            && bits.get(at / 8)? >> (at % 8) & 1 == 0
        {
            return None;
        }
        match self.fields.get(field)? {
            FieldKind::Text => {
                text(shard, column, (TEXT_STARTS, TEXT_BYTES), item).map(ValueRef::Text)
            }
            FieldKind::Number => {
                let raw = shard.section(NUMBERS, column)?.as_chunks().0.get(at)?;
                Some(ValueRef::Number(f64::from_le_bytes(*raw)))
            }
            FieldKind::Bool => Some(ValueRef::Bool(*shard.section(BOOLS, column)?.get(at)? != 0)),
            FieldKind::Tags => {
                let range = range(shard.section(TAG_STARTS, column)?, item)?;
                let ids = shard
                    .section(TAG_IDS, column)?
                    .as_chunks::<4>()
                    .0
                    .get(range)?;
                ids.iter()
                    .map(|&id| {
                        text(
                            shard,
                            column,
                            (WORD_STARTS, WORD_BYTES),
                            u32::from_le_bytes(id),
                        )
                    })
                    .collect::<Option<_>>()
                    .map(ValueRef::Tags)
            }
        }
    }

    /// Reads every value: each must be there, in UTF-8, inside its section.
    ///
    /// # Errors
    /// The first value that cannot be read.
    pub fn verify<D: AsRef<[u8]>>(&self, file: &str, shard: &Shard<D>) -> Result<()> {
        for item in 0..shard.len() as u32 {
            let id = std::iter::once((ID_COLUMN, self.id(shard, item).is_some()));
            let fields = self.fields.iter().enumerate().map(|(field, _)| {
                let column = field as u32 + 1;
                let absent = shard.section(PRESENCE, column).is_some_and(|bits| {
                    bits.get(item as usize / 8)
                        .is_some_and(|b| b >> (item % 8) & 1 == 0)
                });
                (column, absent || self.value(shard, field, item).is_some())
            });
            if let Some((column, _)) = id.chain(fields).find(|(_, sound)| !sound) {
                return Err(Error::Mismatch {
                    file: file.to_owned(),
                    place: format!("column {column}, item {item}"),
                    expected: "a readable value".into(),
                    found: "a range outside its section, or no UTF-8".into(),
                });
            }
        }
        Ok(())
    }
}

/// Entry `item` of a section of starts.
fn range(starts: &[u8], item: u32) -> Option<std::ops::Range<usize>> {
    let starts = starts.as_chunks().0;
    let at = |i: usize| starts.get(i).map(|&raw| u32::from_le_bytes(raw) as usize);
    let range = at(item as usize)?..at((item as usize).checked_add(1)?)?;
    (range.start <= range.end).then_some(range)
}

fn text<D: AsRef<[u8]>>(
    shard: &Shard<D>,
    column: u32,
    (starts, bytes): (Kind, Kind),
    item: u32,
) -> Option<&str> {
    let range = range(shard.section(starts, column)?, item)?;
    std::str::from_utf8(shard.section(bytes, column)?.get(range)?).ok()
}

fn write_texts(
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

fn write_tags<'a>(
    shard: &mut ShardBuilder,
    column: u32,
    values: impl Iterator<Item = Option<&'a Value>> + Clone,
) -> Result<()> {
    let tags = |v: Option<&'a Value>| match v {
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
        ids.extend(
            tags(value)
                .iter()
                .flat_map(|tag| numbers[tag.as_str()].to_le_bytes()),
        );
        starts.extend(end(column, ids.len() / 4)?);
    }
    shard.section(TAG_STARTS, column, starts);
    shard.section(TAG_IDS, column, ids);
    write_texts(shard, column, (WORD_STARTS, WORD_BYTES), &words)
}

fn end(column: u32, len: usize) -> Result<[u8; 4]> {
    u32::try_from(len)
        .map(u32::to_le_bytes)
        .map_err(|_| Error::Mismatch {
            file: "shard".into(),
            place: format!("column {column}"),
            expected: "at most 4 GiB".into(),
            found: format!("{len} bytes"),
        })
}
