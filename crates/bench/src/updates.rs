//! A shelf that is brought up to date day by day, on all titles of the shared catalog with fields: time and bytes of an update, and
//! searches after many of them beside those of the shelf made one whole again.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::Result;
use nearshelf::{Query, SearchOptions, Shelf};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use xtask::shell::{cache, cli, copy_files, output};

use crate::filters;
use crate::search::curve::recall;
use crate::search::data::Data;
use crate::timing::{median, time};

/// The share of items that each kind of change of a day meets.
const SHARE: f64 = 0.01;
const ROUNDS: usize = 5;
/// Queries whose exact answers are looked for, and whose comparisons are counted.
const EXACT: usize = 1000;

/// A shop whose catalog changes.
struct Shop<'a> {
    titles: &'a [String],
    living: BTreeSet<String>,
    random: ChaCha8Rng,
    next: usize,
    work: PathBuf,
    shelf: PathBuf,
    model: PathBuf,
    nearshelf: PathBuf,
}

pub fn run(days: usize, reuse: bool) -> Result<()> {
    let work = cache().join("bench");
    let data = Data::prepare(&work, 0)?;
    let start = Instant::now();
    let built = filters::shelf(&data, &filters::catalog(&data), &work, reuse)?;
    println!("build from vectors: {:.0} s", start.elapsed().as_secs_f64());
    let shelf = work.join("shelf-days");
    let mut shop = Shop {
        titles: &data.titles,
        living: (0..data.titles.len())
            .map(|item| item.to_string())
            .collect(),
        random: ChaCha8Rng::seed_from_u64(20),
        next: 0,
        work: work.clone(),
        model: data.model.clone(),
        shelf: shelf.clone(),
        nearshelf: cli()?,
    };
    if days == 0 {
        shop.living = Shelf::open(&shop.shelf)?
            .items()
            .map(|(id, ..)| id.to_owned())
            .collect();
        return after(&shop, &data, days);
    }
    println!("\n| update | s | bytes to a visitor | of the shelf | encoded |");
    println!("| --- | --- | --- | --- | --- |");
    for (name, prices, items) in [
        ("1 % new prices", true, false),
        ("1 % new items, 1 % removed", false, true),
    ] {
        copy_files(&built, &shelf)?;
        let living = shop.living.clone();
        tell(name, &shop.day(prices, items)?);
        shop.living = living;
    }
    copy_files(&built, &shelf)?;
    for day in 1..=days {
        let told = shop.day(true, true)?;
        if day == 1 || day == days {
            tell(&format!("day {day}: prices, new, removed"), &told);
        }
    }
    after(&shop, &data, days)
}

fn tell(name: &str, told: &Value) {
    println!(
        "| {name} | {:.2} | {} | {:.2} % | {} |",
        told["seconds"].as_f64().unwrap_or_default(),
        told["bytes"],
        100.0 * told["share"].as_f64().unwrap_or_default(),
        told["encoded"],
    );
}

impl Shop<'_> {
    /// The changes of a day, by the command line; what it told.
    fn day(&mut self, prices: bool, items: bool) -> Result<Value> {
        let count = (self.titles.len() as f64 * SHARE) as usize;
        let (mut rows, mut gone) = (String::new(), String::new());
        if prices {
            for id in self.some(count) {
                let price: f64 = self.random.random_range(0.0..1.0);
                rows += &format!("{}\n", json!({ "id": id, "chance": price }));
            }
        }
        if items {
            for id in self.some(count) {
                self.living.remove(&id);
                gone += &format!("{id}\n");
            }
            for _ in 0..count {
                let id = format!("n{}", self.next);
                self.next += 1;
                let row = self.new_item(&id);
                rows += &format!("{row}\n");
                self.living.insert(id);
            }
        }
        let [changed, removed] = ["changed.jsonl", "gone.txt"].map(|name| self.work.join(name));
        fs::write(&changed, rows)?;
        fs::write(&removed, gone)?;
        let mut update = Command::new(&self.nearshelf);
        update
            .arg("update")
            .arg(&self.shelf)
            .arg("--items")
            .arg(&changed);
        update
            .arg("--remove")
            .arg(&removed)
            .arg("--model")
            .arg(&self.model);
        update.args(["--keep", "1", "--json"]);
        Ok(serde_json::from_str(&output(&mut update)?)?)
    }

    /// Living items, drawn by chance.
    fn some(&mut self, count: usize) -> Vec<String> {
        let living: Vec<&String> = self.living.iter().collect();
        let mut chosen = BTreeSet::new();
        while chosen.len() < count.min(living.len()) {
            chosen.insert(living[self.random.random_range(0..living.len())].clone());
        }
        chosen.into_iter().collect()
    }

    /// The beginning of one title and the end of another.
    fn new_item(&mut self, id: &str) -> Value {
        let mut half = |end: bool| {
            let title = &self.titles[self.random.random_range(0..self.titles.len())];
            let words: Vec<&str> = title.split_whitespace().collect();
            let (first, last) = words.split_at(words.len().div_ceil(2));
            if end { last.join(" ") } else { first.join(" ") }
        };
        let title = format!("{} {}", half(false), half(true));
        let chance: f64 = self.random.random_range(0.0..1.0);
        json!({
            "id": id, "title": title, "brand": title.split(' ').next(), "chance": chance,
            "cell": 0, "category": "c0", "in_stock": chance < 0.9,
        })
    }
}

/// Searches after the days, and after compaction.
fn after(shop: &Shop<'_>, data: &Data, days: usize) -> Result<()> {
    let opening = (0..ROUNDS).map(|_| time(|| Shelf::open(&shop.shelf)));
    let opening = median(opening.collect::<Result<_>>()?);
    let updated = Shelf::open(&shop.shelf)?;
    println!(
        "\nafter {days} days: opened in {:.1} ms; {} items live, {} shards, {} files of changes",
        1e3 * opening.as_secs_f64(),
        updated.len(),
        updated.manifest().shards.len(),
        updated.manifest().changes.len(),
    );
    anyhow::ensure!(
        updated.len() == shop.living.len(),
        "not the items that live"
    );
    let compacted = shop.work.join("shelf-compacted");
    let mut compact = Command::new(&shop.nearshelf);
    compact
        .arg("compact")
        .arg(&shop.shelf)
        .arg("--out")
        .arg(&compacted)
        .arg("--json");
    let told: Value = serde_json::from_str(&output(&mut compact)?)?;
    println!(
        "compaction: {:.0} s",
        told["seconds"].as_f64().unwrap_or_default()
    );
    let fresh = Shelf::open(&compacted)?;
    println!(
        "\n| queries | recall@10 updated | compacted | queries/s updated | compacted | ratio |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    for set in &data.sets {
        let mut speeds = [0.0f64; 2];
        // Turn by turn: what else the machine does meets both.
        for _ in 0..ROUNDS {
            for (speed, shelf) in speeds.iter_mut().zip([&updated, &fresh]) {
                *speed = speed.max(queries_per_second(shelf, &set.queries, data.dims)?);
            }
        }
        let recalls = [
            exact_recall(&updated, &set.queries, data.dims)?,
            exact_recall(&fresh, &set.queries, data.dims)?,
        ];
        let compared = [
            distances(&updated, &set.queries, data.dims)?,
            distances(&fresh, &set.queries, data.dims)?,
        ];
        println!(
            "| {} | {:.4} | {:.4} | {:.0} | {:.0} | {:.2} | {compared:?} |",
            set.name,
            recalls[0],
            recalls[1],
            speeds[0],
            speeds[1],
            speeds[0] / speeds[1],
        );
    }
    Ok(())
}

fn queries_per_second(shelf: &Shelf, queries: &[f32], dims: usize) -> Result<f64> {
    let options = SearchOptions::default();
    let start = Instant::now();
    for query in queries.chunks_exact(dims) {
        shelf.search_vector(query, &options)?;
    }
    Ok(queries.len() as f64 / dims as f64 / start.elapsed().as_secs_f64())
}

/// recall@10 against the exact search over what lives.
fn exact_recall(shelf: &Shelf, queries: &[f32], dims: usize) -> Result<f64> {
    let options = SearchOptions::default();
    let (mut found, mut truth) = (Vec::new(), Vec::new());
    let number = |(shard, item): (u32, u32)| shard << 16 | item;
    for query in queries.chunks_exact(dims).take(EXACT) {
        let hits = shelf.search_vector(query, &options)?.hits;
        found.push(
            hits.iter()
                .map(|hit| number((hit.shard, hit.item)))
                .collect(),
        );
        let hits = shelf.search_exact(Query::Vector(query), &options)?;
        truth.push(
            hits.iter()
                .map(|hit| number((hit.shard, hit.item)))
                .collect(),
        );
    }
    Ok(recall(&found, &truth))
}

/// Vectors that a search compares, on average.
fn distances(shelf: &Shelf, queries: &[f32], dims: usize) -> Result<u64> {
    let options = SearchOptions::default();
    let mut sum = 0;
    for query in queries.chunks_exact(dims).take(EXACT) {
        sum += shelf.search_vector(query, &options)?.stats.distances;
    }
    Ok(sum / EXACT as u64)
}
