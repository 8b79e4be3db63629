//! Rows and ids of an update, and what becomes of each.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use nearshelf_catalog::{Changes, Field, FieldChanges, Value};
use serde_json::{Map, Value as Json};

use super::opened::Opened;
use super::options::UpdateOptions;
use crate::error::{Error, Result};
use crate::items::{Items, ProblemKind, TypedField, convert, id_of, source_of};

/// Rows by what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Items that are new.
    pub added: u64,
    /// Items whose text or identifiers changed: encoded anew.
    pub replaced: u64,
    /// Items of which some fields changed.
    pub changed: u64,
    /// New values of these.
    pub values: u64,
    /// Items that were as they are.
    pub unchanged: u64,
    /// Items that went.
    pub removed: u64,
    /// Ids to remove that the shelf does not have.
    pub unknown: Vec<String>,
    /// Fields of rows that the shelf does not have.
    pub unknown_fields: Vec<String>,
}

/// The changes of an update.
pub(super) struct Changed {
    /// Items to be encoded, in the order of their ids.
    pub items: Items,
    pub changes: Changes,
    pub counts: Counts,
}

/// Reads the rows and ids of an update, and compares them with the shelf.
///
/// # Errors
/// Files that cannot be read; with `strict` any problem.
pub(super) fn read_changes(opened: &Opened, options: &UpdateOptions) -> Result<Changed> {
    let mut reader = Reader::new(opened);
    if let Some(path) = &options.items {
        reader.rows(path)?;
        if options.strict && reader.items.report.problem_count() > 0 {
            let (path, report) = (path.clone(), reader.items.report);
            return Err(Error::Strict { path, report });
        }
    }
    if let Some(path) = &options.remove {
        reader.removals(path, options.strict)?;
    }
    Ok(reader.changed())
}

struct Reader<'a> {
    opened: &'a Opened,
    /// Living items by id.
    places: HashMap<&'a str, (u32, u32)>,
    fields: &'a [Field],
    exact: Vec<String>,
    seen: HashSet<String>,
    items: Items,
    gone: BTreeSet<u32>,
    values: Vec<BTreeMap<u32, Option<Value>>>,
    unknown_fields: BTreeSet<String>,
    counts: Counts,
}

impl<'a> Reader<'a> {
    fn new(opened: &'a Opened) -> Self {
        let catalog = &opened.catalog;
        let fields = &opened.manifest.fields;
        let typed = |field: &Field| TypedField {
            name: field.name.clone(),
            kind: field.kind,
        };
        let words = catalog.words();
        Reader {
            opened,
            places: catalog
                .items()
                .map(|(id, shard, item)| (id, (shard, item)))
                .collect(),
            fields,
            exact: words
                .map(|words| words.exact_fields().to_vec())
                .unwrap_or_default(),
            seen: HashSet::new(),
            items: Items::none(fields.iter().map(typed).collect()),
            gone: BTreeSet::new(),
            values: vec![BTreeMap::new(); fields.len()],
            unknown_fields: BTreeSet::new(),
            counts: Counts::default(),
        }
    }

    fn rows(&mut self, path: &Path) -> Result<()> {
        nearshelf_tables::rows(path, &mut |(line, row)| {
            self.items.report.rows += 1;
            let read = row.map_err(|reason| ProblemKind::BadRow { reason });
            let read = read.and_then(|row| self.row(path, line, row));
            if let Err(problem) = read {
                self.items.report.add(path, line, problem);
            }
        })?;
        Ok(())
    }

    fn row(&mut self, path: &Path, line: u64, row: Map<String, Json>) -> Result<(), ProblemKind> {
        let manifest = &self.opened.manifest;
        let id = id_of(&row, &manifest.id_field)?;
        if !self.seen.insert(id.clone()) {
            return Err(ProblemKind::DuplicateId { id });
        }
        self.note_fields(&row);
        let source = source_of(&row, &manifest.text_fields, &self.exact);
        // A row with a text is the whole item; one without names what changes.
        let is_whole = source.parts.iter().any(|part| !part.is_empty());
        let known = self.places.get(id.as_str()).copied();
        let Some((shard, item)) = known else {
            if !is_whole {
                let field = manifest.text_fields.join(", ");
                return Err(ProblemKind::UnknownItem { id, field });
            }
            let values = self.whole_values(path, line, row);
            self.items.push(id, source, values);
            self.counts.added += 1;
            return Ok(());
        };
        let before = self.opened.source(shard, item);
        if is_whole && before != Some(&source) {
            let values = self.whole_values(path, line, row);
            self.items.push(id, source, values);
            self.gone.insert(self.number(shard, item));
            self.counts.replaced += 1;
            return Ok(());
        }
        let names_code = self.exact.iter().any(|exact| row.contains_key(exact));
        let codes = before.map(|before| &before.identifiers);
        if !is_whole && names_code && codes != Some(&source.identifiers) {
            // An identifier is looked for beside the text: both come together.
            let field = manifest.text_fields.join(", ");
            return Err(ProblemKind::MissingField { field });
        }
        self.fields_of(path, line, row, (shard, item), is_whole);
        Ok(())
    }

    /// Notes what a row changes of the fields of a known item.
    fn fields_of(
        &mut self,
        path: &Path,
        line: u64,
        mut row: Map<String, Json>,
        (shard, item): (u32, u32),
        is_whole: bool,
    ) {
        let number = self.number(shard, item);
        let mut changed = 0;
        for field in 0..self.fields.len() {
            let name = self.fields[field].name.as_str();
            let json = row.remove(name);
            if json.is_none() && !is_whole {
                continue;
            }
            let Ok(value) = self.value(path, line, field, json) else {
                // A value that does not fit changes nothing.
                continue;
            };
            let before = self
                .opened
                .catalog
                .value(shard, field, item)
                .unwrap_or_default();
            if before.map(|before| before.to_value()) != value {
                self.values[field].insert(number, value);
                changed += 1;
            }
        }
        self.counts.values += changed;
        match changed {
            0 => self.counts.unchanged += 1,
            _ => self.counts.changed += 1,
        }
    }

    fn whole_values(
        &mut self,
        path: &Path,
        line: u64,
        mut row: Map<String, Json>,
    ) -> Vec<Option<Value>> {
        let fields = 0..self.fields.len();
        let values = fields.map(|field| {
            let json = row.remove(&self.fields[field].name);
            self.value(path, line, field, json).unwrap_or_default()
        });
        values.collect()
    }

    /// A value as its field's type; one that does not fit is a problem.
    fn value(
        &mut self,
        path: &Path,
        line: u64,
        field: usize,
        json: Option<Json>,
    ) -> Result<Option<Value>, ()> {
        let Field { name, kind, .. } = &self.fields[field];
        convert(json.unwrap_or(Json::Null), *kind).map_err(|found| {
            let problem = ProblemKind::BadValue {
                field: name.clone(),
                expected: *kind,
                found,
            };
            self.items.report.add(path, line, problem);
        })
    }

    fn note_fields(&mut self, row: &Map<String, Json>) {
        let manifest = &self.opened.manifest;
        for name in row.keys() {
            let is_known = self.fields.iter().any(|field| field.name == *name)
                || manifest.text_fields.contains(name)
                || self.exact.contains(name)
                || manifest.id_field == *name;
            if !is_known && !self.unknown_fields.contains(name) {
                self.unknown_fields.insert(name.clone());
            }
        }
    }

    fn removals(&mut self, path: &Path, strict: bool) -> Result<()> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        let mut seen = HashSet::new();
        for id in text.lines().map(str::trim).filter(|id| !id.is_empty()) {
            if !seen.insert(id) {
                continue;
            }
            // What is removed goes, whatever a row says of it.
            let new = self.items.ids.iter().position(|new| new == id);
            if let Some(new) = new.filter(|_| self.seen.contains(id)) {
                self.items.take_out(new);
            }
            match self.places.get(id) {
                Some(&(shard, item)) => {
                    self.gone.insert(self.number(shard, item));
                    self.counts.removed += 1;
                }
                None if new.is_some() => self.counts.removed += 1,
                None => self.counts.unknown.push(id.to_owned()),
            }
        }
        match self.counts.unknown.first() {
            Some(id) if strict => Err(Error::Items {
                path: path.to_owned(),
                place: "ids".into(),
                expected: "ids of the shelf (--strict)".into(),
                found: format!("{} others, such as {id:?}", self.counts.unknown.len()),
            }),
            _ => Ok(()),
        }
    }

    fn number(&self, shard: u32, item: u32) -> u32 {
        self.opened.catalog.numbering().number(shard as usize, item)
    }

    fn changed(mut self) -> Changed {
        let gone = &self.gone;
        let fields = (0..).zip(self.fields).zip(self.values);
        let fields = fields.map(|((field, described), mut values)| {
            values.retain(|number, _| !gone.contains(number));
            FieldChanges {
                field,
                kind: described.kind,
                values: values.into_iter().collect(),
            }
        });
        let changes = Changes {
            fields: fields.filter(|field| !field.values.is_empty()).collect(),
            gone: self.gone.into_iter().collect(),
        };
        self.counts.unknown_fields = self.unknown_fields.into_iter().collect();
        Changed {
            items: self.items.sorted(),
            changes,
            counts: self.counts,
        }
    }
}
