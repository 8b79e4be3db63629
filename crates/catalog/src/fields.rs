//! The fields of a shelf by their names.

use crate::columns::FieldKind;
use crate::error::{Error, Result};
use crate::manifest::Field;

/// The number of the field with a name, which `option` asks for.
///
/// # Errors
/// There is no such field: the error suggests the one that was meant.
pub(crate) fn find(fields: &[Field], option: &'static str, name: &str) -> Result<usize> {
    let place = fields.iter().position(|field| field.name == name);
    place.ok_or_else(|| Error::Option {
        option,
        expected: suggestion(fields, name),
        found: name.to_owned(),
    })
}

/// The number of the field with a name, which is of one of these types.
///
/// # Errors
/// There is no such field, or it is of another type.
pub(crate) fn of_kinds(
    fields: &[Field],
    option: &'static str,
    name: &str,
    kinds: &[FieldKind],
) -> Result<usize> {
    let number = find(fields, option, name)?;
    let kind = fields[number].kind;
    if kinds.contains(&kind) {
        return Ok(number);
    }
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    Err(Error::Option {
        option,
        expected: format!("a field of type {}", names.join(" or ")),
        found: format!("{name}, of type {}", kind.name()),
    })
}

/// The fields that could have been meant by a name that the shelf does not have.
pub(crate) fn suggestion(fields: &[Field], name: &str) -> String {
    let names = fields.iter().map(|field| field.name.as_str());
    let near = names
        .clone()
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .min()
        .filter(|(edits, known)| *edits <= 2.max(known.len() / 3));
    match near {
        Some((_, known)) => format!("a field of the shelf, perhaps {known}"),
        None => format!(
            "a field of the shelf ({})",
            names.collect::<Vec<_>>().join(", ")
        ),
    }
}
