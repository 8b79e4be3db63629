//! The rows of a catalog: read from JSON Lines, CSV or Parquet, checked one by one, typed by column.

mod report;
mod types;

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;

use nearshelf_catalog::{FieldKind, Value};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::error::{Error, Result};

pub use report::{Problem, ProblemKind, Report};
pub(crate) use types::convert;

/// Which of a row's fields is what.
#[derive(Debug, Clone)]
pub struct ItemOptions {
    /// The field that names an item.
    pub id: String,
    /// The fields whose texts are encoded, joined by spaces, and whose words are counted.
    pub text: Vec<TextField>,
    /// The fields whose values are identifiers: a query for one finds its item first.
    pub exact: Vec<String>,
    /// The fields that items come back with; all of them when this is empty.
    pub fields: Vec<FieldSpec>,
    /// Whether a problem ends the build.
    pub strict: bool,
}

impl Default for ItemOptions {
    fn default() -> Self {
        ItemOptions {
            id: "id".into(),
            text: vec!["title".into()],
            exact: vec![],
            fields: vec![],
            strict: false,
        }
    }
}

/// A field whose text is encoded, and whose words are counted.
#[derive(Debug, Clone, PartialEq)]
pub struct TextField {
    /// Its name.
    pub name: String,
    /// Weight of a word in it, beside one in a field of weight 1.
    pub weight: f32,
}

impl AsRef<str> for TextField {
    fn as_ref(&self) -> &str {
        &self.name
    }
}

impl From<&str> for TextField {
    fn from(name: &str) -> Self {
        TextField {
            name: name.to_owned(),
            weight: 1.0,
        }
    }
}

/// A field to keep, with its type where that is not left to the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSpec {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Option<FieldKind>,
}

/// A field of the catalog with its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedField {
    /// Its name in the catalog.
    pub name: String,
    /// Its type, as it was asked for or found.
    pub kind: FieldKind,
}

/// The text and the identifiers of an item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Source {
    /// By text field; empty where the item has none.
    pub parts: Vec<String>,
    pub identifiers: Vec<String>,
}

/// The items of a catalog.
#[derive(Debug, Clone, PartialEq)]
pub struct Items {
    /// Ids, distinct.
    pub ids: Vec<String>,
    /// The texts that are encoded.
    pub texts: Vec<String>,
    /// Bytes of each text that come from each field, `[items][text fields]`.
    parts: Vec<Range<usize>>,
    /// Identifiers by item; none at all where no field holds any.
    pub identifiers: Vec<Vec<String>>,
    /// The fields that are kept.
    pub fields: Vec<TypedField>,
    /// Their values, `[items][fields]`.
    pub values: Vec<Vec<Option<Value>>>,
    /// The place of each item among the good rows of the file.
    pub rows: Vec<u32>,
    /// Problems of the rows.
    pub report: Report,
}

impl Items {
    /// Items in the order of their ids: what a shelf is made of does not depend on the order of a file.
    pub(crate) fn sorted(self) -> Self {
        let mut order: Vec<u32> = (0..self.ids.len() as u32).collect();
        order.sort_unstable_by(|&a, &b| self.ids[a as usize].cmp(&self.ids[b as usize]));
        let fields = self.parts.len() / self.ids.len().max(1);
        let parts = order.iter().flat_map(|&item| {
            let start = item as usize * fields;
            self.parts[start..start + fields].iter().cloned()
        });
        let parts = parts.collect();
        Items {
            parts,
            rows: taken(self.rows, &order),
            ids: taken(self.ids, &order),
            texts: taken(self.texts, &order),
            identifiers: match self.identifiers.is_empty() {
                true => vec![],
                false => taken(self.identifiers, &order),
            },
            values: taken(self.values, &order),
            ..self
        }
    }

    /// The text and the identifiers that an item was made of.
    pub(crate) fn source(&self, item: usize) -> Source {
        let fields = self.parts.len() / self.texts.len().max(1);
        let parts = (0..fields).map(|field| self.part(item, field).to_owned());
        Source {
            parts: parts.collect(),
            identifiers: self.identifiers.get(item).cloned().unwrap_or_default(),
        }
    }

    /// Adds an item that was read before.
    pub(crate) fn push(&mut self, id: String, source: Source, values: Vec<Option<Value>>) {
        let (text, parts) = joined(&source.parts);
        self.rows.push(self.ids.len() as u32);
        self.ids.push(id);
        self.texts.push(text);
        self.parts.extend(parts);
        self.identifiers.push(source.identifiers);
        self.values.push(values);
    }

    /// Takes an item out.
    pub(crate) fn take_out(&mut self, item: usize) {
        let fields = self.parts.len() / self.texts.len().max(1);
        self.parts.drain(item * fields..(item + 1) * fields);
        self.ids.remove(item);
        self.texts.remove(item);
        self.identifiers.remove(item);
        self.values.remove(item);
        self.rows.pop();
    }

    /// None yet, of these fields.
    pub(crate) fn none(fields: Vec<TypedField>) -> Self {
        Items {
            ids: vec![],
            texts: vec![],
            parts: vec![],
            identifiers: vec![],
            fields,
            values: vec![],
            rows: vec![],
            report: Report::default(),
        }
    }

    /// The part of an item's text that comes from a text field.
    pub fn part(&self, item: usize, field: usize) -> &str {
        let fields = self.parts.len() / self.texts.len().max(1);
        let part = self.parts.get(item * fields + field).cloned();
        let text = self.texts.get(item).zip(part);
        text.and_then(|(text, part)| text.get(part))
            .unwrap_or_default()
    }
}

/// The elements in another order.
fn taken<T: Default>(mut all: Vec<T>, order: &[u32]) -> Vec<T> {
    let take = |&at: &u32| std::mem::take(&mut all[at as usize]);
    order.iter().map(take).collect()
}

/// Texts of the fields in one, with the place of each in it.
fn joined(parts: &[String]) -> (String, Vec<Range<usize>>) {
    let (mut text, mut places) = (String::new(), Vec::new());
    for part in parts {
        if !text.is_empty() && !part.is_empty() {
            text.push(' ');
        }
        let start = text.len();
        text += part;
        places.push(start..text.len());
    }
    (text, places)
}

/// The id of a row.
pub(crate) fn id_of(
    row: &serde_json::Map<String, Json>,
    field: &str,
) -> Result<String, ProblemKind> {
    let id = row.get(field).and_then(types::plain_text);
    id.ok_or_else(|| ProblemKind::MissingField {
        field: field.to_owned(),
    })
}

/// The text and the identifiers of a row; the text is empty where it has none.
pub(crate) fn source_of(
    row: &serde_json::Map<String, Json>,
    text: &[impl AsRef<str>],
    exact: &[String],
) -> Source {
    let part = |field: &str| row.get(field).and_then(types::plain_text);
    let parts = text
        .iter()
        .map(|field| part(field.as_ref()).unwrap_or_default());
    let identifiers = exact.iter().filter_map(|field| row.get(field));
    Source {
        parts: parts.collect(),
        identifiers: identifiers.flat_map(types::plain_texts).collect(),
    }
}

/// Reads a catalog, in the order of the items' ids.
///
/// # Errors
/// A file that cannot be read or is of no known format, a text or display field that no row has, no
/// item at all, or, with `strict`, any problem.
pub fn read_items(path: &Path, options: &ItemOptions) -> Result<Items> {
    let mut report = Report::default();
    let mut rows = Rows::default();
    let from_text = nearshelf_tables::rows(path, &mut |(line, row)| {
        report.rows += 1;
        let added = row
            .map_err(|reason| ProblemKind::BadRow { reason })
            .and_then(|row| rows.add(line, row, options));
        if let Err(problem) = added {
            report.add(path, line, problem);
        }
    })?;
    if rows.rows.is_empty() {
        let path = path.to_owned();
        return Err(Error::Empty { path, report });
    }
    rows.check_fields(path, options)?;
    let without = rows.identifiers.iter().filter(|codes| codes.is_empty());
    report.without_identifier = without.count() as u64;
    let fields = rows.typed_fields(options, from_text);
    let values = typed_values(rows.rows, &rows.lines, &fields, path, &mut report);
    if options.strict && report.problem_count() > 0 {
        let path = path.to_owned();
        return Err(Error::Strict { path, report });
    }
    let items = Items {
        rows: (0..rows.ids.len() as u32).collect(),
        ids: rows.ids,
        texts: rows.texts,
        parts: rows.parts,
        identifiers: rows.identifiers,
        fields,
        values,
        report,
    };
    Ok(items.sorted())
}

/// Rows that have an id of their own and a text.
#[derive(Default)]
struct Rows {
    lines: Vec<u64>,
    ids: Vec<String>,
    texts: Vec<String>,
    parts: Vec<Range<usize>>,
    identifiers: Vec<Vec<String>>,
    rows: Vec<serde_json::Map<String, Json>>,
    seen: HashSet<String>,
}

impl Rows {
    fn add(
        &mut self,
        line: u64,
        row: serde_json::Map<String, Json>,
        options: &ItemOptions,
    ) -> Result<(), ProblemKind> {
        let missing = |field: String| ProblemKind::MissingField { field };
        let id = id_of(&row, &options.id)?;
        let source = source_of(&row, &options.text, &options.exact);
        let (text, parts) = joined(&source.parts);
        if text.is_empty() {
            let names: Vec<&str> = options
                .text
                .iter()
                .map(|field| field.name.as_str())
                .collect();
            return Err(missing(names.join(", ")));
        }
        if !self.seen.insert(id.clone()) {
            return Err(ProblemKind::DuplicateId { id });
        }
        self.ids.push(id);
        self.texts.push(text);
        self.parts.extend(parts);
        if !options.exact.is_empty() {
            self.identifiers.push(source.identifiers);
        }
        self.lines.push(line);
        self.rows.push(row);
        Ok(())
    }

    /// Every field that the options name is in some row.
    fn check_fields(&self, path: &Path, options: &ItemOptions) -> Result<()> {
        let display = options.fields.iter().map(|f| &f.name);
        let text = options.text.iter().map(|field| &field.name);
        for name in text.chain(&options.exact).chain(display) {
            if !self.rows.iter().any(|row| row.contains_key(name)) {
                return Err(Error::Items {
                    path: path.to_owned(),
                    place: "fields".into(),
                    expected: format!("a field {name:?}"),
                    found: self.rows[0].keys().cloned().collect::<Vec<_>>().join(", "),
                });
            }
        }
        Ok(())
    }

    /// The fields with their types: those of the options, or those that their values show.
    fn typed_fields(&self, options: &ItemOptions, from_text: bool) -> Vec<TypedField> {
        let specs = if options.fields.is_empty() {
            all_fields(&self.rows, &options.id)
        } else {
            options.fields.clone()
        };
        let typed = |spec: FieldSpec| {
            let values = self.rows.iter().filter_map(|row| row.get(&spec.name));
            let kind = spec.kind.unwrap_or_else(|| types::infer(values, from_text));
            let name = spec.name;
            TypedField { name, kind }
        };
        specs.into_iter().map(typed).collect()
    }
}

/// The values of all rows by field. A value of another type than its field's is a problem, and absent.
fn typed_values(
    rows: Vec<serde_json::Map<String, Json>>,
    lines: &[u64],
    fields: &[TypedField],
    path: &Path,
    report: &mut Report,
) -> Vec<Vec<Option<Value>>> {
    let mut value = |line: u64, json: Json, field: &TypedField| {
        types::convert(json, field.kind).unwrap_or_else(|found| {
            let problem = ProblemKind::BadValue {
                field: field.name.clone(),
                expected: field.kind,
                found,
            };
            report.add(path, line, problem);
            None
        })
    };
    rows.into_iter()
        .zip(lines)
        .map(|(mut row, &line)| {
            fields
                .iter()
                .map(|field| value(line, row.remove(&field.name)?, field))
                .collect()
        })
        .collect()
}

/// Every field but the id, in the order in which the rows first have them.
fn all_fields(rows: &[serde_json::Map<String, Json>], id: &str) -> Vec<FieldSpec> {
    let mut seen = HashSet::new();
    rows.iter()
        .flat_map(|row| row.keys())
        .filter(|&name| name != id && seen.insert(name.as_str()))
        .map(|name| FieldSpec {
            name: name.clone(),
            kind: None,
        })
        .collect()
}
