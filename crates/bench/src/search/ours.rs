//! nearshelf, with what its own build makes of the vectors.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;
use nearshelf::{SearchOptions, Shelf};
use xtask::shell::{cli, run as run_command};

use super::curve::{Curve, EF, Point, recall};
use super::data::{Data, QuerySet};
use crate::timing::{median, resident, time};

/// A curve for each query set; build, open and size are printed.
pub fn measure(data: &Data, work: &Path, reuse: bool) -> Result<Vec<Curve>> {
    let (folder, built) = shelf(data, work, reuse)?;
    let before = resident();
    let opening = (0..21)
        .map(|_| time(|| Shelf::open(&folder)))
        .collect::<Result<_>>()?;
    let shelf = Shelf::open(&folder)?;
    let opened = resident() - before;
    let bytes: u64 = shelf.manifest().shards.iter().map(|s| s.file.bytes).sum();
    let defaults = shelf.manifest().search.clone();
    println!(
        "nearshelf: {} items, {} shards, {:.0} bytes an item, {built}, \
         opened in {:.2} ms with {:.1} MB resident",
        data.titles.len(),
        shelf.manifest().shards.len(),
        bytes as f64 / data.titles.len() as f64,
        median(opening).as_secs_f64() * 1e3,
        opened as f64 / 1e6,
    );
    let of_set = |set: &QuerySet| {
        let point = at(&shelf, set, None, data.dims)?;
        println!(
            "nearshelf, {}, defaults (probe {}, ef {}): recall@10 {:.4}, {:.0} queries/s",
            set.name, defaults.probe, defaults.ef, point.recall, point.queries_per_second
        );
        EF.iter()
            .map(|&ef| at(&shelf, set, Some(ef), data.dims))
            .collect()
    };
    data.sets.iter().map(of_set).collect()
}

/// A shelf of the data, and a word about its build; with `reuse` that of the last run.
pub fn shelf(data: &Data, work: &Path, reuse: bool) -> Result<(PathBuf, String)> {
    let folder = work.join("shelf");
    if reuse && folder.exists() {
        return Ok((folder, "as it was".into()));
    }
    let items = work.join("items.jsonl");
    let row = |(id, title): (usize, &String)| {
        serde_json::json!({ "id": id.to_string(), "title": title }).to_string() + "\n"
    };
    let lines: String = data.titles.iter().enumerate().map(row).collect();
    fs::write(&items, lines)?;
    let mut build = Command::new(cli()?);
    let start = Instant::now();
    build.arg("build").arg("--items").arg(&items);
    build.arg("--model").arg(&data.model);
    build.arg("--vectors").arg(&data.vectors_file);
    run_command(build.arg("--out").arg(&folder))?;
    let seconds = start.elapsed().as_secs_f64();
    Ok((folder, format!("built in {seconds:.0} s")))
}

/// Searches by vector with the public API, ids and all; the middle of three times.
fn at(shelf: &Shelf, set: &QuerySet, ef: Option<usize>, dims: usize) -> Result<Point> {
    let options = SearchOptions {
        k: 10,
        probe: None,
        ef,
        ..SearchOptions::default()
    };
    let search = |query: &[f32]| {
        let hits = shelf.search_vector(query, &options)?.hits;
        Ok(hits.iter().filter_map(|hit| hit.id.parse().ok()).collect())
    };
    let mut found: Vec<Vec<u32>> = Vec::new();
    let mut all = || {
        found = set
            .queries
            .chunks_exact(dims)
            .map(search)
            .collect::<Result<_>>()?;
        anyhow::Ok(())
    };
    let times = (0..3)
        .map(|_| time(&mut all))
        .collect::<Result<Vec<Duration>>>()?;
    Ok(Point {
        recall: recall(&found, &set.truth),
        queries_per_second: found.len() as f64 / median(times).as_secs_f64(),
    })
}
