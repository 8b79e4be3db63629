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

impl Value {
    /// Its type.
    pub fn kind(&self) -> FieldKind {
        match self {
            Value::Text(_) => FieldKind::Text,
            Value::Number(_) => FieldKind::Number,
            Value::Bool(_) => FieldKind::Bool,
            Value::Tags(_) => FieldKind::Tags,
        }
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

impl<'a> From<&'a Value> for ValueRef<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Text(text) => ValueRef::Text(text),
            Value::Number(number) => ValueRef::Number(*number),
            Value::Bool(value) => ValueRef::Bool(*value),
            Value::Tags(tags) => ValueRef::Tags(tags.iter().map(String::as_str).collect()),
        }
    }
}

impl ValueRef<'_> {
    /// The same, as a value of its own.
    pub fn to_value(&self) -> Value {
        match self {
            ValueRef::Text(text) => Value::Text((*text).to_owned()),
            ValueRef::Number(number) => Value::Number(*number),
            ValueRef::Bool(value) => Value::Bool(*value),
            ValueRef::Tags(tags) => Value::Tags(tags.iter().map(|&tag| tag.to_owned()).collect()),
        }
    }
}
