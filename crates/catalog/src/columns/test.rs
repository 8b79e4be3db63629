//! A condition on one column, of its own type.

use std::ops::Bound;

/// A condition on the values of a column. Which of these a column knows, its type says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    /// There is a value.
    Exists,
    /// A bool of this value.
    Bool(bool),
    /// A number between bounds.
    Between(Bound<f64>, Bound<f64>),
    /// A number that is one of these.
    Numbers(Vec<f64>),
    /// A text that is one of these, or tags that have one of these; in rising order.
    Words(Vec<String>),
}
