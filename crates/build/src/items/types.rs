//! Types of fields, given and inferred.

use nearshelf_catalog::{FieldKind, Value};
use serde_json::Value as Json;

use nearshelf_tables::brief;

/// Separates tags in one string, as a CSV cell has to hold them.
const TAG_SEPARATOR: char = '|';

/// A string, number or bool as text; `None` for anything else and for what is blank.
pub(super) fn plain_text(value: &Json) -> Option<String> {
    let text = match value {
        Json::String(text) => text.trim().to_owned(),
        Json::Number(number) => number.to_string(),
        Json::Bool(value) => value.to_string(),
        Json::Null | Json::Array(_) | Json::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// The narrowest type that all values have. Cells of a text format are read as numbers and bools
/// where every one of them can be.
pub(super) fn infer<'a>(
    values: impl Iterator<Item = &'a Json> + Clone,
    from_text: bool,
) -> FieldKind {
    let present = || values.clone().filter(|v| !v.is_null());
    let all = |test: &dyn Fn(&Json) -> bool| present().next().is_some() && present().all(test);
    if all(&|v| v.is_boolean() || from_text && v.as_str().is_some_and(|s| as_bool(s).is_some())) {
        FieldKind::Bool
    } else if all(&|v| v.is_number() || from_text && v.as_str().is_some_and(is_plain_number)) {
        FieldKind::Number
    } else if all(&|v| {
        v.as_array()
            .is_some_and(|a| a.iter().all(|v| plain_text(v).is_some()))
    }) {
        FieldKind::Tags
    } else {
        FieldKind::Text
    }
}

/// The texts of a value that is one, or a list of them.
pub(super) fn plain_texts(value: &Json) -> Vec<String> {
    match value {
        Json::Array(values) => values.iter().filter_map(plain_text).collect(),
        value => plain_text(value).into_iter().collect(),
    }
}

/// A value as its field's type; `Ok(None)` where there is none, the value itself where it does not fit.
pub(crate) fn convert(value: Json, kind: FieldKind) -> Result<Option<Value>, String> {
    let wrong = |value: &Json| Err(brief(&value.to_string()));
    let value = match (kind, value) {
        (_, Json::Null) => return Ok(None),
        (FieldKind::Text, Json::String(text)) => Value::Text(text),
        (FieldKind::Text, other) => Value::Text(other.to_string()),
        (FieldKind::Number, Json::Number(number)) => match number.as_f64() {
            Some(number) => Value::Number(number),
            None => return wrong(&Json::Number(number)),
        },
        (FieldKind::Number, Json::String(text)) => match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Value::Number(number),
            _ => return wrong(&Json::String(text)),
        },
        (FieldKind::Bool, Json::Bool(value)) => Value::Bool(value),
        (FieldKind::Bool, Json::String(text)) => match as_bool(&text) {
            Some(value) => Value::Bool(value),
            None => return wrong(&Json::String(text)),
        },
        (FieldKind::Tags, Json::Array(tags)) => {
            match tags.iter().map(plain_text).collect::<Option<Vec<String>>>() {
                Some(tags) => Value::Tags(tags),
                None => return wrong(&Json::Array(tags)),
            }
        }
        (FieldKind::Tags, Json::String(text)) => {
            let tags = text
                .split(TAG_SEPARATOR)
                .map(str::trim)
                .filter(|tag| !tag.is_empty());
            Value::Tags(tags.map(str::to_owned).collect())
        }
        (FieldKind::Number | FieldKind::Bool | FieldKind::Tags, other) => return wrong(&other),
    };
    Ok(Some(value))
}

fn as_bool(text: &str) -> Option<bool> {
    match text.trim() {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// Whether a cell is a number and loses nothing by being one: "007" and "+49" are not.
fn is_plain_number(text: &str) -> bool {
    let digits = text.trim().trim_start_matches('-');
    let padded = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    digits.starts_with(|c: char| c.is_ascii_digit())
        && !padded
        && text.trim().parse::<f64>().is_ok_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn inferred(values: &[Json], from_text: bool) -> FieldKind {
        infer(values.iter(), from_text)
    }

    #[test]
    fn types_are_the_narrowest_that_hold_all_values() {
        assert_eq!(
            inferred(&[json!(1), json!(null), json!(2.5)], false),
            FieldKind::Number
        );
        assert_eq!(
            inferred(&[json!(true), json!(false)], false),
            FieldKind::Bool
        );
        assert_eq!(inferred(&[json!(["a"]), json!([])], false), FieldKind::Tags);
        assert_eq!(inferred(&[json!(1), json!("a")], false), FieldKind::Text);
        assert_eq!(inferred(&[json!(null)], false), FieldKind::Text);
        assert_eq!(inferred(&[], false), FieldKind::Text);
    }

    #[test]
    fn cells_are_read_as_types_but_strings_stay() {
        assert_eq!(
            inferred(&[json!("1"), json!("2.5")], true),
            FieldKind::Number
        );
        assert_eq!(
            inferred(&[json!("1"), json!("2.5")], false),
            FieldKind::Text
        );
        assert_eq!(inferred(&[json!("true")], true), FieldKind::Bool);
        assert_eq!(inferred(&[json!("007")], true), FieldKind::Text);
        assert_eq!(
            inferred(&[json!("0.5"), json!("0")], true),
            FieldKind::Number
        );
        assert_eq!(
            inferred(&[json!("nan"), json!("inf")], true),
            FieldKind::Text
        );
    }

    #[test]
    fn what_does_not_fit_is_given_back() {
        assert_eq!(convert(json!("x"), FieldKind::Number), Err("\"x\"".into()));
        assert_eq!(convert(json!(7), FieldKind::Bool), Err("7".into()));
        assert_eq!(
            convert(json!([["a"]]), FieldKind::Tags),
            Err("[[\"a\"]]".into())
        );
        assert_eq!(
            convert(json!(7), FieldKind::Text),
            Ok(Some(Value::Text("7".into())))
        );
        let tags = Value::Tags(vec!["a".into(), "b c".into()]);
        assert_eq!(convert(json!("a | b c|"), FieldKind::Tags), Ok(Some(tags)));
    }
}
