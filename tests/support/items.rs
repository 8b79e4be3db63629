//! The demo's catalog as rows.

use nearshelf::Shelf;
use serde_json::{Map, Value, json};

use crate::demo;

/// The demo's catalog, read back from its shelf.
pub fn demo_items() -> Vec<Value> {
    let shelf = Shelf::open(demo()).unwrap();
    let manifest = shelf.manifest();
    let mut items = Vec::new();
    for (id, shard, item) in shelf.items() {
        let mut row = Map::new();
        row.insert(manifest.id_field.clone(), json!(id));
        for field in &manifest.fields {
            if let Some(value) = shelf.value(shard, item, &field.name) {
                row.insert(field.name.clone(), json!(value));
            }
        }
        items.push(Value::Object(row));
    }
    items.sort_by_key(|item| item[&manifest.id_field].to_string());
    items
}
