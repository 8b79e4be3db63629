//! A shop that changes by chance, and the plain map that its shelf is compared with.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use nearshelf_build::{
    BuildOptions, Error, ItemOptions, Model, NoProgress, UpdateOptions, Updated, build, update,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value as Json, json};

use crate::demo_model;

const THINGS: [&str; 8] = [
    "rain jacket",
    "desk lamp",
    "running shoes",
    "coffee mug",
    "wool scarf",
    "garden hose",
    "tent",
    "bread knife",
];
const COLORS: [&str; 5] = ["red", "blue", "green", "black", "sand"];

/// An item as a plain map has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Two or three words, and one that no other has.
    pub title: String,
    /// An identifier.
    pub sku: String,
    /// Some have none.
    pub price: Option<f64>,
    /// Whether it can be had.
    pub in_stock: bool,
    /// A color and another.
    pub tags: Vec<String>,
}

impl Row {
    /// A row of chance with that number.
    pub fn any(random: &mut StdRng, number: usize) -> Self {
        let color = COLORS[random.random_range(0..COLORS.len())];
        let thing = THINGS[random.random_range(0..THINGS.len())];
        Row {
            // Each title has a word that no other has.
            title: format!("{color} {thing} zq{number}x"),
            sku: format!("SKU{number:05}"),
            price: random
                .random_bool(0.9)
                .then(|| f64::from(random.random_range(1..400u32)) / 4.0),
            in_stock: random.random_bool(0.7),
            tags: vec![color.to_owned(), "all".to_owned()],
        }
    }

    /// The row as a catalog has it.
    pub fn json(&self, id: &str) -> Json {
        json!({
            "id": id, "title": self.title, "sku": self.sku, "price": self.price,
            "in_stock": self.in_stock, "tags": self.tags,
        })
    }
}

/// Rows by id.
pub type Rows = BTreeMap<String, Row>;

/// Writes rows as JSON Lines.
pub fn write_rows<'a>(path: &Path, rows: impl Iterator<Item = (&'a String, &'a Row)>) {
    let lines: String = rows
        .map(|(id, row)| format!("{}\n", row.json(id)))
        .collect();
    fs::write(path, lines).unwrap();
}

/// Options that the shop's shelf is built with.
pub fn build_options() -> BuildOptions {
    BuildOptions {
        items: ItemOptions {
            exact: vec!["sku".into()],
            ..ItemOptions::default()
        },
        shard_size: 120,
        ..BuildOptions::default()
    }
}

/// A shelf that is changed step by step, and the map that it is compared with.
pub struct Shop {
    folder: tempfile::TempDir,
    /// The items' encoder.
    pub model: Model,
    /// Living items, as they are now.
    pub rows: Rows,
    /// Where chance comes from.
    pub random: StdRng,
    next: usize,
}

impl Shop {
    /// A shop of so many items, its shelf built with kept vectors.
    pub fn new(items: usize, seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut random = StdRng::seed_from_u64(seed);
        let rows: Rows = (0..items)
            .map(|number| (format!("p{number:04}"), Row::any(&mut random, number)))
            .collect();
        let model = Model::open(demo_model().path()).unwrap();
        let shop = Shop {
            folder,
            model,
            rows,
            random,
            next: items,
        };
        write_rows(&shop.path("items.jsonl"), shop.rows.iter());
        let options = BuildOptions {
            keep_vectors: Some(shop.path("cache")),
            ..build_options()
        };
        build(
            &shop.path("items.jsonl"),
            &shop.model,
            &shop.shelf(),
            &options,
            &NoProgress,
        )
        .unwrap();
        shop
    }

    /// A path in the shop's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder of its shelf.
    pub fn shelf(&self) -> PathBuf {
        self.path("shelf")
    }

    /// The id of a living item.
    pub fn any_id(&mut self) -> String {
        let at = self.random.random_range(0..self.rows.len());
        self.rows.keys().nth(at).unwrap().clone()
    }

    /// Brings the shelf up to date with rows.
    ///
    /// # Errors
    /// Those of the update.
    pub fn with(&self, lines: &str, options: UpdateOptions) -> Result<Updated, Error> {
        fs::write(self.path("changed.jsonl"), lines).unwrap();
        let items = Some(self.path("changed.jsonl"));
        let options = UpdateOptions { items, ..options };
        update(&self.shelf(), None, &options, &NoProgress)
    }

    /// A new price for every item.
    pub fn prices(&mut self) {
        let mut lines = String::new();
        for (number, (id, row)) in self.rows.iter_mut().enumerate() {
            row.price = Some(300.0 + number as f64 / 8.0);
            lines += &format!("{}\n", json!({ "id": id, "price": row.price }));
        }
        let strict = UpdateOptions {
            strict: true,
            ..UpdateOptions::default()
        };
        self.with(&lines, strict).unwrap();
    }

    /// Some operations in one update; the map says what they come to.
    pub fn step(&mut self, operations: usize) -> Updated {
        let mut lines: BTreeMap<String, Json> = BTreeMap::new();
        let mut gone = BTreeSet::new();
        for _ in 0..operations {
            let id = self.any_id();
            if lines.contains_key(&id) || gone.contains(&id) {
                continue;
            }
            match self.random.random_range(0..10) {
                0 if self.rows.len() > 60 => {
                    self.rows.remove(&id);
                    gone.insert(id);
                }
                1 | 2 => {
                    let id = format!("p{:04}", self.next);
                    let row = Row::any(&mut self.random, self.next);
                    self.next += 1;
                    lines.insert(id.clone(), row.json(&id));
                    self.rows.insert(id, row);
                }
                3 => {
                    let row = Row::any(&mut self.random, self.next);
                    self.next += 1;
                    lines.insert(id.clone(), row.json(&id));
                    self.rows.insert(id, row);
                }
                4 => {
                    // As it is: a whole export may be given.
                    lines.insert(id.clone(), self.rows[&id].json(&id));
                }
                5 | 6 => {
                    let price = f64::from(self.random.random_range(1..400u32)) / 4.0;
                    lines.insert(id.clone(), json!({ "id": id, "price": price }));
                    self.rows.get_mut(&id).unwrap().price = Some(price);
                }
                7 => {
                    lines.insert(
                        id.clone(),
                        json!({ "id": id, "price": null, "tags": ["sale"] }),
                    );
                    let row = self.rows.get_mut(&id).unwrap();
                    (row.price, row.tags) = (None, vec!["sale".into()]);
                }
                _ => {
                    let row = self.rows.get_mut(&id).unwrap();
                    row.in_stock = !row.in_stock;
                    lines.insert(id.clone(), row.json(&id));
                }
            }
        }
        let text: String = lines.values().map(|line| format!("{line}\n")).collect();
        fs::write(self.path("changed.jsonl"), text).unwrap();
        let ids: String = gone.iter().map(|id| format!("{id}\n")).collect();
        fs::write(self.path("gone.txt"), ids).unwrap();
        let options = UpdateOptions {
            items: (!lines.is_empty()).then(|| self.path("changed.jsonl")),
            remove: Some(self.path("gone.txt")),
            keep_vectors: Some(self.path("cache")),
            strict: true,
            ..UpdateOptions::default()
        };
        update(&self.shelf(), Some(&self.model), &options, &NoProgress).unwrap()
    }
}
