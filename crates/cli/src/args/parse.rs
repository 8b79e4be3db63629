//! Values of options.

use nearshelf::FieldKind;
use nearshelf_build::FieldSpec;

/// A count of 1 or more.
pub fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("expected 1 or more".into()),
        Ok(n) => Ok(n),
        Err(_) => Err("expected a whole number".into()),
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
