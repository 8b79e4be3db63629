//! A condition on one column, of its own type.

use std::ops::Bound;

use super::value::Value;

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

impl Test {
    /// Whether a value of a type that the test knows passes; none of another type does.
    pub fn passes(&self, value: &Value) -> bool {
        match (self, value) {
            (Test::Exists, _) => true,
            (Test::Bool(wanted), Value::Bool(value)) => wanted == value,
            (Test::Between(least, most), Value::Number(number)) => {
                let (least, most) = closed(*least, *most);
                least <= *number && *number <= most
            }
            (Test::Numbers(numbers), Value::Number(number)) => numbers.contains(number),
            (Test::Words(words), Value::Text(text)) => words.binary_search(text).is_ok(),
            (Test::Words(words), Value::Tags(tags)) => {
                tags.iter().any(|tag| words.binary_search(tag).is_ok())
            }
            _ => false,
        }
    }
}

/// The least and the largest number between bounds.
pub(super) fn closed(least: Bound<f64>, most: Bound<f64>) -> (f64, f64) {
    let least = match least {
        Bound::Included(bound) => bound,
        Bound::Excluded(bound) => bound.next_up(),
        Bound::Unbounded => f64::NEG_INFINITY,
    };
    let most = match most {
        Bound::Included(bound) => bound,
        Bound::Excluded(bound) => bound.next_down(),
        Bound::Unbounded => f64::INFINITY,
    };
    (least, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_closed_at_the_next_number() {
        let (least, most) = closed(Bound::Excluded(2.0), Bound::Excluded(3.0));
        assert!(least > 2.0 && most < 3.0 && least < 2.0 + 1e-9 && most > 3.0 - 1e-9);
        assert_eq!(
            closed(Bound::Included(0.0), Bound::Unbounded),
            (0.0, f64::INFINITY)
        );
        let (least, _) = closed(Bound::Excluded(f64::INFINITY), Bound::Unbounded);
        assert_eq!(least, f64::INFINITY);
        // What is -0 is 0.
        assert!(closed(Bound::Included(0.0), Bound::Unbounded).0 <= -0.0);
    }
}
