//! A filter's names and values against the fields of a shelf.

use super::node::Node;
use super::tree::{Condition, Filter};
use crate::columns::{FieldKind, Test, Value};
use crate::error::{Error, Result};
use crate::fields::suggestion;
use crate::manifest::Field;

/// Conditions and values of a filter at most. More than a page can show, and little enough to be looked at for each
/// search.
const MAX_TERMS: usize = 4096;
/// Conditions inside one another at most: the depth of the stack that looks at them.
const MAX_DEPTH: usize = 128;

/// Finds the columns of a filter's fields, and its values in their types.
///
/// # Errors
/// A field that the shelf does not have, a condition that its type does not know, a filter that is too large.
pub(crate) fn bind(filter: &Filter, fields: &[Field]) -> Result<Node> {
    let mut binder = Binder { fields, terms: 0 };
    binder.node(filter, 0)
}

struct Binder<'a> {
    fields: &'a [Field],
    terms: usize,
}

impl Binder<'_> {
    fn node(&mut self, filter: &Filter, depth: usize) -> Result<Node> {
        self.count(1)?;
        if depth > MAX_DEPTH {
            let expected = format!("at most {MAX_DEPTH} conditions inside one another");
            return Err(error("depth", expected, "more"));
        }
        let mut nodes = |filters: &[Filter]| -> Result<Vec<Node>> {
            let nodes = filters.iter().map(|filter| self.node(filter, depth + 1));
            nodes.collect()
        };
        Ok(match filter {
            Filter::All(filters) => Node::All(nodes(filters)?),
            Filter::Any(filters) => Node::Any(nodes(filters)?),
            Filter::Not(filter) => Node::Not(Box::new(self.node(filter, depth + 1)?)),
            Filter::Field { name, condition } => {
                let (field, kind) = self.field(name)?;
                if *condition == Condition::OneOf(Vec::new()) {
                    return Ok(Node::Any(Vec::new()));
                }
                let test = self.test(name, kind, condition)?;
                Node::Column { field, test }
            }
        })
    }

    fn count(&mut self, terms: usize) -> Result<()> {
        self.terms = self.terms.saturating_add(terms);
        match self.terms {
            0..=MAX_TERMS => Ok(()),
            _ => Err(error(
                "size",
                format!("at most {MAX_TERMS} conditions and values"),
                "more",
            )),
        }
    }

    fn field(&self, name: &str) -> Result<(usize, FieldKind)> {
        let place = self.fields.iter().position(|field| field.name == name);
        if let Some(place) = place {
            return Ok((place, self.fields[place].kind));
        }
        let expected = suggestion(self.fields, name);
        Err(error("field", expected, name))
    }

    fn test(&mut self, name: &str, kind: FieldKind, condition: &Condition) -> Result<Test> {
        let place = format!("field {name}");
        match (condition, kind) {
            (Condition::Exists, _) => Ok(Test::Exists),
            (Condition::Between(least, most), FieldKind::Number) => {
                Ok(Test::Between(*least, *most))
            }
            (Condition::Between(..), kind) => Err(error(
                &place,
                "a number field for <, <=, > and >=",
                kind.name(),
            )),
            (Condition::OneOf(values), kind) => {
                self.count(values.len())?;
                one_of(kind, values).map_err(|found| {
                    error(&place, format!("a value of type {}", kind.name()), found)
                })
            }
        }
    }
}

/// A test for values of a field's type, or the value that is of another.
fn one_of(kind: FieldKind, values: &[Value]) -> Result<Test, String> {
    let (mut words, mut numbers, mut bools) = (Vec::new(), Vec::new(), Vec::new());
    for value in values {
        match (kind, value) {
            (FieldKind::Text | FieldKind::Tags, Value::Text(text)) => words.push(text.clone()),
            (FieldKind::Number, Value::Number(number)) => numbers.push(*number),
            (FieldKind::Bool, Value::Bool(value)) => bools.push(*value),
            (_, Value::Text(text)) => return Err(format!("{text:?}")),
            (_, Value::Number(number)) => return Err(number.to_string()),
            (_, Value::Bool(value)) => return Err(value.to_string()),
            (_, Value::Tags(_)) => return Err("tags".into()),
        }
    }
    Ok(match kind {
        FieldKind::Text | FieldKind::Tags => {
            words.sort_unstable();
            words.dedup();
            Test::Words(words)
        }
        FieldKind::Number => Test::Numbers(numbers),
        FieldKind::Bool if bools.contains(&true) && bools.contains(&false) => Test::Exists,
        FieldKind::Bool => Test::Bool(bools.contains(&true)),
    })
}

fn error(place: &str, expected: impl Into<String>, found: impl Into<String>) -> Error {
    Error::Filter {
        place: place.into(),
        expected: expected.into(),
        found: found.into(),
    }
}
