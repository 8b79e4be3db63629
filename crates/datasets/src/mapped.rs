//! Any table, by the names of its fields.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::canonical::{event, weight};
use crate::error::Result;
use crate::judged::{Judged, Judgement};
use crate::sink::{Sink, table};

/// Which field is what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mapping {
    /// The file.
    pub path: PathBuf,
    /// Fields whose texts make the query.
    pub query: Vec<String>,
    /// Fields whose texts make the item; none where `items` has them.
    #[serde(default)]
    pub item: Vec<String>,
    /// The field with the item's id.
    #[serde(default)]
    pub item_id: Option<String>,
    /// The items that ids refer to.
    #[serde(default)]
    pub items: Option<ItemTable>,
    /// The field with the grade, a number.
    #[serde(default)]
    pub grade: Option<String>,
    /// The field with the event.
    #[serde(default)]
    pub event: Option<String>,
    /// The field with the weight.
    #[serde(default)]
    pub weight: Option<String>,
    /// The field with the vertical.
    #[serde(default)]
    pub vertical: Option<String>,
}

/// A table of items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemTable {
    /// The file.
    pub path: PathBuf,
    /// The field with the id; without one the text is the id.
    #[serde(default)]
    pub id: Option<String>,
    /// Fields whose texts make the item.
    pub text: Vec<String>,
    /// Takes only rows whose field has one of these values.
    #[serde(default, rename = "where")]
    pub only: Option<HashMap<String, Vec<String>>>,
}

impl ItemTable {
    /// Ids and texts, in the order of the file; of rows with the same id the first.
    ///
    /// # Errors
    /// A file that cannot be read, a row without id or text.
    pub fn read(&self, root: &Path) -> Result<Vec<(String, String)>> {
        let mut items = Vec::new();
        let mut seen = std::collections::HashSet::new();
        table(&root.join(&self.path), &mut |fields| {
            for (name, values) in self.only.iter().flatten() {
                if !fields
                    .text(name)?
                    .is_some_and(|value| values.contains(&value))
                {
                    return Ok(());
                }
            }
            let text = fields.joined(&self.text)?;
            let id = match &self.id {
                Some(id) => fields.required(id)?,
                None => text.clone(),
            };
            if seen.insert(id.clone()) {
                items.push((id, text));
            }
            Ok(())
        })?;
        Ok(items)
    }
}

pub(crate) fn read(mapping: &Mapping, root: &Path, sink: &mut Sink) -> Result<()> {
    let items: Option<(&Path, HashMap<String, String>)> = match &mapping.items {
        Some(table) => Some((&table.path, table.read(root)?.into_iter().collect())),
        None => None,
    };
    sink.rows(&root.join(&mapping.path), &mut |fields, rows| {
        let item_id = match &mapping.item_id {
            Some(name) => Some(fields.required(name)?),
            None => None,
        };
        let item = match (&items, &mapping.item_id) {
            (Some((path, items)), Some(name)) => fields.lookup(name, items, path)?.clone(),
            _ => fields.joined(&mapping.item)?,
        };
        let judgement = match (&mapping.grade, &mapping.event) {
            (Some(name), _) => Judgement::Grade(
                fields
                    .number(name)?
                    .ok_or_else(|| fields.error(format!("a number in {name:?}"), "none"))?,
            ),
            (None, Some(name)) => Judgement::Event(event(fields, &fields.required(name)?)?),
            (None, None) => Judgement::Grade(1.0),
        };
        rows.push(Judged {
            query: fields.joined(&mapping.query)?,
            item,
            item_id,
            judgement,
            weight: match &mapping.weight {
                Some(name) => weight(fields, name)?,
                None => 1.0,
            },
            vertical: match &mapping.vertical {
                Some(name) => fields.text(name)?,
                None => None,
            },
        });
        Ok(())
    })
}
