//! Types and values of fields.

use serde::{Deserialize, Serialize};

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldKind {
    /// A string.
    Text,
    /// A 64-bit float.
    Number,
    /// True or false.
    Bool,
    /// A list of strings, such as categories; equal ones are stored once.
    Tags,
}

impl FieldKind {
    /// Its name, as options and messages have it.
    pub fn name(self) -> &'static str {
        match self {
            FieldKind::Text => "text",
            FieldKind::Number => "number",
            FieldKind::Bool => "bool",
            FieldKind::Tags => "tags",
        }
    }
}

/// A field's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Of a text field.
    Text(String),
    /// Of a number field.
    Number(f64),
    /// Of a bool field.
    Bool(bool),
    /// Of a tags field.
    Tags(Vec<String>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Value::Number(number)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

/// A field's value, read in place.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ValueRef<'a> {
    /// Of a text field.
    Text(&'a str),
    /// Of a number field.
    Number(f64),
    /// Of a bool field.
    Bool(bool),
    /// Of a tags field.
    Tags(Vec<&'a str>),
}
