//! The file of changes, `.nsc`: values that items have now, and items that are gone, by their numbers in the shelf.
//!
//! | section | index | holds |
//! | --- | --- | --- |
//! | `GONE` | 0 | record: the numbers of items that are gone, each as the gap to the one before |
//! | `CHNG` | field | record: numbers of items in the same way, and the value that each has now |

use nearshelf_container::wire::{decode, encode};
use nearshelf_container::{Error, FileKind, FileWriter, Head, Kind, Result, Storage};
use serde::{Deserialize, Serialize};

use crate::columns::{FieldKind, Value};

const GONE: Kind = Kind::new(b"GONE");
const CHANGED: Kind = Kind::new(b"CHNG");

/// Changes of a shelf's items, by their numbers: see [`nearshelf_index::Numbering`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Items that are gone, in rising order.
    pub gone: Vec<u32>,
    /// Fields whose values changed, in rising order.
    pub fields: Vec<FieldChanges>,
}

/// New values of a field.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChanges {
    /// The field's place in the manifest.
    pub field: usize,
    /// Its type.
    pub kind: FieldKind,
    /// Items in rising order, each with the value that it has now; `None` where it has none any more.
    pub values: Vec<(u32, Option<Value>)>,
}

/// New values of a field, their parts one behind the other.
#[derive(Default, Serialize, Deserialize)]
struct ChangedRecord {
    gaps: Vec<u32>,
    /// The type, by its place in [`KINDS`].
    kind: u32,
    /// For each value 0 where there is none, else 1 and its parts: one, or a tag each.
    parts: Vec<u32>,
    /// Numbers; bools as 0 and 1.
    numbers: Vec<f64>,
    /// Texts and tags.
    texts: Vec<String>,
}

/// Types of fields: the place of each is its number.
const KINDS: [FieldKind; 4] = [
    FieldKind::Text,
    FieldKind::Number,
    FieldKind::Bool,
    FieldKind::Tags,
];

impl Changes {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.fields.iter().all(|field| field.values.is_empty())
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut file = FileWriter::new(FileKind::Changes, vec![]);
        file.push(GONE, 0, encode(&gaps(self.gone.iter().copied())));
        for field in self.fields.iter().filter(|field| !field.values.is_empty()) {
            file.push(
                CHANGED,
                field.field as u32,
                encode(&ChangedRecord::of(field)),
            );
        }
        file.to_bytes()
    }

    /// Reads a file of changes to a shelf of so many fields. All sections are compared with their checksums.
    ///
    /// # Errors
    /// Damage of any kind, a newer version.
    pub fn from_bytes(bytes: &[u8], fields: usize) -> Result<Self> {
        let head = Head::read(FileKind::Changes, &bytes)?;
        head.verify(&bytes)?;
        let gone: Vec<u32> = decode("section GONE", bytes.read(head.need(GONE, 0)?)?)?;
        let mut changes = Changes {
            gone: numbers("section GONE", &gone)?,
            fields: Vec::new(),
        };
        for field in 0..fields {
            let Some(range) = head.find(CHANGED, field as u32) else {
                continue;
            };
            let place = format!("section CHNG {field}");
            let record: ChangedRecord = decode(&place, bytes.read(range)?)?;
            changes.fields.push(record.read(&place, field)?);
        }
        Ok(changes)
    }
}

/// Rising numbers as the gaps between them.
fn gaps(numbers: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut before = 0;
    let gap = |number| number - std::mem::replace(&mut before, number);
    numbers.map(gap).collect()
}

fn numbers(place: &str, gaps: &[u32]) -> Result<Vec<u32>> {
    let mut number = 0u32;
    let mut next = |gap: &u32| {
        let sum = number.checked_add(*gap);
        number = sum.ok_or_else(|| Error::value(place, "numbers of 32 bits", "larger ones"))?;
        Ok(number)
    };
    gaps.iter().map(&mut next).collect()
}

impl ChangedRecord {
    fn of(field: &FieldChanges) -> Self {
        let kind = KINDS.iter().position(|kind| *kind == field.kind);
        let mut record = ChangedRecord {
            gaps: gaps(field.values.iter().map(|(number, _)| *number)),
            kind: kind.unwrap_or_default() as u32,
            ..ChangedRecord::default()
        };
        for (_, value) in &field.values {
            let parts = match value {
                None => 0,
                Some(Value::Tags(tags)) => 1 + tags.len() as u32,
                Some(_) => 2,
            };
            record.parts.push(parts);
            match value {
                None => {}
                Some(Value::Text(text)) => record.texts.push(text.clone()),
                Some(Value::Tags(tags)) => record.texts.extend(tags.iter().cloned()),
                Some(Value::Number(number)) => record.numbers.push(*number),
                Some(Value::Bool(value)) => record.numbers.push(f64::from(u8::from(*value))),
            }
        }
        record
    }

    fn read(self, place: &str, field: usize) -> Result<FieldChanges> {
        let error = |expected: &str, found: String| Error::value(place, expected, found);
        let kind = KINDS.get(self.kind as usize).copied();
        let kind = kind.ok_or_else(|| error("a type of field", self.kind.to_string()))?;
        let items = numbers(place, &self.gaps)?;
        if self.parts.len() != items.len() {
            return Err(error("a value for each item", self.parts.len().to_string()));
        }
        let (mut texts, mut numbers) = (self.texts.into_iter(), self.numbers.into_iter());
        let mut values = Vec::with_capacity(items.len());
        for (item, parts) in items.into_iter().zip(self.parts) {
            let value = match (parts.checked_sub(1), kind) {
                (None, _) => None,
                (Some(1), FieldKind::Text) => texts.next().map(Value::Text),
                (Some(1), FieldKind::Number) => numbers.next().map(Value::Number),
                (Some(1), FieldKind::Bool) => {
                    numbers.next().map(|number| Value::Bool(number != 0.0))
                }
                (Some(tags), FieldKind::Tags) => {
                    Some(Value::Tags(texts.by_ref().take(tags as usize).collect()))
                }
                (Some(found), _) => return Err(error("one part", found.to_string())),
            };
            values.push((item, value));
        }
        Ok(FieldChanges {
            field,
            kind,
            values,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(kind: FieldKind) -> BoxedStrategy<Value> {
        match kind {
            FieldKind::Text => ".{0,8}".prop_map(Value::Text).boxed(),
            FieldKind::Number => (-1e9f64..1e9).prop_map(Value::Number).boxed(),
            FieldKind::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
            FieldKind::Tags => prop::collection::vec(".{0,4}", 0..3)
                .prop_map(Value::Tags)
                .boxed(),
        }
    }

    fn field(field: usize, kind: FieldKind) -> impl Strategy<Value = FieldChanges> {
        let values =
            prop::collection::btree_map(any::<u32>(), prop::option::of(value(kind)), 1..20);
        values.prop_map(move |values| FieldChanges {
            field,
            kind,
            values: values.into_iter().collect(),
        })
    }

    proptest! {
        #[test]
        fn changes_come_back_and_damage_is_found(
            gone in prop::collection::btree_set(any::<u32>(), 0..50),
            fields in (
                field(0, FieldKind::Text),
                field(1, FieldKind::Number),
                field(3, FieldKind::Bool),
                field(4, FieldKind::Tags),
            ),
            at in any::<prop::sample::Index>(),
        ) {
            let (a, b, c, d) = fields;
            let changes = Changes { gone: gone.into_iter().collect(), fields: vec![a, b, c, d] };
            let mut bytes = changes.to_bytes();
            prop_assert_eq!(Changes::from_bytes(&bytes, 5).unwrap(), changes);
            let at = at.index(bytes.len());
            bytes[at] ^= 1;
            prop_assert!(Changes::from_bytes(&bytes, 5).is_err());
        }

        #[test]
        fn any_bytes_are_changes_or_an_error(bytes: Vec<u8>) {
            let _ = Changes::from_bytes(&bytes, 3);
        }
    }
}
