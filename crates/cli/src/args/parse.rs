//! Values of options.

use nearshelf::FieldKind;
use nearshelf_build::{FieldSpec, TextField};

/// A count of 1 or more.
pub fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("expected 1 or more".into()),
        Ok(n) => Ok(n),
        Err(_) => Err("expected a whole number".into()),
    }
}

/// A share, 0 to 1.
pub fn share(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("expected a number from 0 to 1".into()),
    }
}

/// `name` or `name:weight`.
pub fn text_field(text: &str) -> Result<TextField, String> {
    let Some((name, weight)) = text.split_once(':') else {
        return Ok(text.into());
    };
    match weight.parse::<f32>() {
        Ok(weight) if weight > 0.0 && weight.is_finite() => Ok(TextField {
            name: name.to_owned(),
            weight,
        }),
        _ => Err(format!("expected a weight above 0, found {weight:?}")),
    }
}

/// `name` or `name:type`.
pub fn field_spec(text: &str) -> Result<FieldSpec, String> {
    let (name, kind) = match text.split_once(':') {
        None => (text, None),
        Some((name, kind)) => {
            let kind = match kind {
                "text" => FieldKind::Text,
                "number" => FieldKind::Number,
                "bool" => FieldKind::Bool,
                "tags" => FieldKind::Tags,
                _ => {
                    return Err(format!(
                        "expected text, number, bool or tags, found {kind:?}"
                    ));
                }
            };
            (name, Some(kind))
        }
    };
    Ok(FieldSpec {
        name: name.to_owned(),
        kind,
    })
}

/// A name that TypeScript takes.
pub fn identifier(text: &str) -> Result<String, String> {
    let mut chars = text.chars();
    let starts = chars.next().is_some_and(|c| c.is_ascii_alphabetic());
    match starts && chars.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        true => Ok(text.to_owned()),
        false => Err("expected a letter, then letters, digits and underscores".into()),
    }
}
