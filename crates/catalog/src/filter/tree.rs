//! A filter as a tree of conditions.

use std::ops::Bound;

use crate::columns::Value;

/// A condition on the fields of an item.
///
/// An item without a value for a field meets no condition on it, so that [`Filter::Not`] of one holds for it.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All of these hold; none asks for nothing.
    All(Vec<Filter>),
    /// One of these holds, at least; none holds for no item.
    Any(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// A field's value meets a condition.
    Field {
        /// The field.
        name: String,
        /// The condition.
        condition: Condition,
    },
}

/// A condition on the value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// There is a value.
    Exists,
    /// It is one of these; of tags, one is among these.
    OneOf(Vec<Value>),
    /// It is a number between bounds.
    Between(Bound<f64>, Bound<f64>),
}

impl Filter {
    /// A field has a value.
    pub fn exists(name: impl Into<String>) -> Self {
        Self::field(name, Condition::Exists)
    }

    /// A field's value is this one; of tags, one is.
    pub fn equals(name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::one_of(name, [value])
    }

    /// A field's value is one of these; of tags, one is.
    pub fn one_of<V: Into<Value>>(
        name: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        Self::field(name, Condition::OneOf(values))
    }

    /// A number is below a bound.
    pub fn below(name: impl Into<String>, bound: f64) -> Self {
        Self::between(name, Bound::Unbounded, Bound::Excluded(bound))
    }

    /// A number is a bound or below it.
    pub fn at_most(name: impl Into<String>, bound: f64) -> Self {
        Self::between(name, Bound::Unbounded, Bound::Included(bound))
    }

    /// A number is above a bound.
    pub fn above(name: impl Into<String>, bound: f64) -> Self {
        Self::between(name, Bound::Excluded(bound), Bound::Unbounded)
    }

    /// A number is a bound or above it.
    pub fn at_least(name: impl Into<String>, bound: f64) -> Self {
        Self::between(name, Bound::Included(bound), Bound::Unbounded)
    }

    /// A number is between bounds.
    pub fn between(name: impl Into<String>, least: Bound<f64>, most: Bound<f64>) -> Self {
        Self::field(name, Condition::Between(least, most))
    }

    /// This holds, and the other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match self {
            Filter::All(mut all) => {
                all.push(other);
                Filter::All(all)
            }
            one => Filter::All(vec![one, other]),
        }
    }

    /// This holds, or the other, or both.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match self {
            Filter::Any(mut any) => {
                any.push(other);
                Filter::Any(any)
            }
            one => Filter::Any(vec![one, other]),
        }
    }

    /// This does not hold.
    #[must_use]
    pub fn negated(self) -> Self {
        Filter::Not(Box::new(self))
    }

    fn field(name: impl Into<String>, condition: Condition) -> Self {
        Filter::Field {
            name: name.into(),
            condition,
        }
    }
}
