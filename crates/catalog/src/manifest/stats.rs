//! Statistics of a field: what is known of its values without reading a shard.

use std::collections::HashSet;

use serde::Serialize;

use crate::columns::{FieldKind, Value, ValueRef};

/// Statistics of a field's values, in a shard or in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FieldStats {
    /// Items that have a value.
    pub present: u64,
    /// Statistics of the values.
    #[serde(flatten)]
    pub values: ValueStats,
}

/// Statistics of a field's values, by the field's type.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ValueStats {
    /// Of a text field.
    Text {
        /// Texts that differ.
        distinct: u64,
    },
    /// Of a number field.
    Number {
        /// The least number; `None` where there is none.
        min: Option<f64>,
        /// The largest number.
        max: Option<f64>,
    },
    /// Of a bool field.
    Bool {
        /// Items for which it is true.
        trues: u64,
    },
    /// Of a tags field.
    Tags {
        /// Tags that differ.
        distinct: u64,
    },
}

impl FieldStats {
    /// Statistics of the values of items; `None` is an item without one.
    pub fn of<'a, V: Into<ValueRef<'a>>>(
        kind: FieldKind,
        values: impl Iterator<Item = Option<V>>,
    ) -> Self {
        let (mut present, mut trues) = (0, 0);
        let (mut least, mut largest) = (f64::INFINITY, f64::NEG_INFINITY);
        let mut texts: HashSet<&str> = HashSet::new();
        for value in values.flatten() {
            present += 1;
            match value.into() {
                ValueRef::Text(text) => {
                    texts.insert(text);
                }
                ValueRef::Number(number) => {
                    least = least.min(number);
                    largest = largest.max(number);
                }
                ValueRef::Bool(value) => trues += u64::from(value),
                ValueRef::Tags(tags) => texts.extend(tags),
            }
        }
        let distinct = texts.len() as u64;
        let (min, max) = if least <= largest {
            (Some(least), Some(largest))
        } else {
            (None, None)
        };
        let counts = Counts {
            distinct,
            trues,
            min,
            max,
        };
        let values = counts.of(kind);
        FieldStats { present, values }
    }
}

impl FieldStats {
    /// Makes room for a value that an item has now: afterwards counts and ends may be larger than what is there, never smaller.
    pub(crate) fn widen(&mut self, value: &Value) {
        self.present += 1;
        match (&mut self.values, value) {
            (ValueStats::Text { distinct }, Value::Text(_)) => *distinct += 1,
            (ValueStats::Tags { distinct }, Value::Tags(tags)) => *distinct += tags.len() as u64,
            (ValueStats::Bool { trues }, Value::Bool(value)) => *trues += u64::from(*value),
            (ValueStats::Number { min, max }, Value::Number(number)) => {
                *min = Some(min.map_or(*number, |min| min.min(*number)));
                *max = Some(max.map_or(*number, |max| max.max(*number)));
            }
            _ => {}
        }
    }
}

/// The counts of all types of fields, of which a type has some.
pub(super) struct Counts {
    pub distinct: u64,
    pub trues: u64,
    pub min: Option<f64>,
    pub max: Option<f64>,
}

impl Counts {
    /// Those that a field of this type has.
    pub fn of(self, kind: FieldKind) -> ValueStats {
        let Counts {
            distinct,
            trues,
            min,
            max,
        } = self;
        match kind {
            FieldKind::Text => ValueStats::Text { distinct },
            FieldKind::Number => ValueStats::Number { min, max },
            FieldKind::Bool => ValueStats::Bool { trues },
            FieldKind::Tags => ValueStats::Tags { distinct },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_count_what_is_there() {
        let numbers = [Some(Value::Number(2.5)), None, Some(Value::Number(-1.0))];
        let stats = FieldStats::of(FieldKind::Number, numbers.iter().map(Option::as_ref));
        let (min, max) = (Some(-1.0), Some(2.5));
        assert_eq!(stats.present, 2);
        assert_eq!(stats.values, ValueStats::Number { min, max });

        let none = FieldStats::of(FieldKind::Number, [None::<&Value>, None].into_iter());
        let (min, max) = (None, None);
        assert_eq!(none.values, ValueStats::Number { min, max });

        let tags = |tags: &[&str]| Some(Value::Tags(tags.iter().map(|&t| t.into()).collect()));
        let tags = [tags(&["a", "b"]), tags(&[]), tags(&["b"])];
        let stats = FieldStats::of(FieldKind::Tags, tags.iter().map(Option::as_ref));
        assert_eq!(stats.present, 3);
        assert_eq!(stats.values, ValueStats::Tags { distinct: 2 });

        let bools = [Some(Value::Bool(true)), Some(Value::Bool(false))];
        let stats = FieldStats::of(FieldKind::Bool, bools.iter().map(Option::as_ref));
        assert_eq!(stats.values, ValueStats::Bool { trues: 1 });
    }
}
