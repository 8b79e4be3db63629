//! A row's fields, and errors that say where it is.

use std::collections::HashMap;
use std::path::Path;

use nearshelf_tables::brief;
use serde_json::{Map, Value as Json};

use crate::error::{Error, Result};

/// A row of a file.
pub(crate) struct Fields<'a> {
    pub path: &'a Path,
    pub line: u64,
    pub fields: Map<String, Json>,
}

impl Fields<'_> {
    pub fn error(&self, expected: impl Into<String>, found: impl Into<String>) -> Error {
        Error::Row {
            path: self.path.to_owned(),
            line: self.line,
            expected: expected.into(),
            found: found.into(),
        }
    }

    /// A value that is there.
    fn value(&self, name: &str) -> Option<&Json> {
        self.fields.get(name).filter(|v| !v.is_null())
    }

    /// A text, number or list of texts as a text; none where it is absent or empty.
    pub fn text(&self, name: &str) -> Result<Option<String>> {
        let text = match self.value(name) {
            None => return Ok(None),
            Some(Json::String(text)) => text.trim().to_owned(),
            Some(Json::Number(number)) => number.to_string(),
            Some(Json::Array(list)) if list.iter().all(Json::is_string) => {
                let parts: Vec<&str> = list.iter().filter_map(Json::as_str).collect();
                parts.join(" ")
            }
            Some(other) => {
                return Err(self.error(format!("a text in {name:?}"), brief(&other.to_string())));
            }
        };
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// A text that has to be there.
    pub fn required(&self, name: &str) -> Result<String> {
        self.text(name)?
            .ok_or_else(|| self.error(format!("a text in {name:?}"), "none or an empty one"))
    }

    /// The texts of some fields, joined by spaces; at least one has to be there.
    pub fn joined(&self, names: &[impl AsRef<str>]) -> Result<String> {
        let mut parts = Vec::new();
        for name in names {
            parts.extend(self.text(name.as_ref())?);
        }
        if parts.is_empty() {
            let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
            return Err(self.error(format!("a text in {names:?}"), "none or empty ones"));
        }
        Ok(parts.join(" "))
    }

    /// A finite number, written as one or as a text.
    pub fn number(&self, name: &str) -> Result<Option<f32>> {
        let number = match self.value(name) {
            None => return Ok(None),
            Some(Json::Number(number)) => number.as_f64(),
            Some(Json::String(text)) => text.trim().parse().ok(),
            Some(_) => None,
        };
        match number.filter(|n: &f64| n.is_finite()) {
            Some(number) => Ok(Some(number as f32)),
            None => {
                let found = self.value(name).map(ToString::to_string);
                let found = brief(&found.unwrap_or_default());
                Err(self.error(format!("a number in {name:?}"), found))
            }
        }
    }

    /// The grade that a label stands for.
    pub fn label(&self, name: &str, grades: &[(&str, f32)]) -> Result<f32> {
        let label = self.required(name)?;
        let found = grades.iter().find(|(known, _)| *known == label);
        found.map(|(_, grade)| *grade).ok_or_else(|| {
            let known: Vec<&str> = grades.iter().map(|(known, _)| *known).collect();
            self.error(
                format!("one of {known:?} in {name:?}"),
                format!("{label:?}"),
            )
        })
    }

    /// A list of texts; empty where it is absent.
    pub fn list(&self, name: &str) -> Result<Vec<String>> {
        match self.value(name) {
            None => Ok(vec![]),
            Some(Json::Array(list)) if list.iter().all(|x| x.is_string() || x.is_number()) => {
                let text = |x: &Json| x.as_str().map_or_else(|| x.to_string(), str::to_owned);
                Ok(list.iter().map(text).collect())
            }
            Some(other) => Err(self.error(
                format!("a list of ids in {name:?}"),
                brief(&other.to_string()),
            )),
        }
    }

    /// The entry of a table that a field names.
    pub fn lookup<'t, T>(
        &self,
        name: &str,
        table: &'t HashMap<String, T>,
        of: &Path,
    ) -> Result<&'t T> {
        let id = self.required(name)?;
        table.get(&id).ok_or_else(|| {
            self.error(
                format!("{name:?} to be in {}", of.display()),
                format!("{id:?}"),
            )
        })
    }
}
