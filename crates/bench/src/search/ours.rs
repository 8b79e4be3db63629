//! nearshelf, with what its own build makes of the vectors.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;
use nearshelf::{Mode, SearchOptions, Shelf};
use xtask::shell::{cli, run as run_command};

use super::curve::{Curve, EF, Point, recall};
use super::data::{Data, QuerySet};
use crate::timing::{median, resident, time};

/// The recall at which text to hits is timed.
const RECALL: f64 = 0.98;

/// The shelf that is measured.
pub struct Own {
    /// Bits of its codes.
    pub precision: String,
    /// Whether it is that of the last run.
    pub reuse: bool,
}

impl Own {
    /// A curve for each query set; build, open, size, and the time from a text to its hits are printed.
    pub fn measure(&self, data: &Data, work: &Path) -> Result<Vec<Curve>> {
        let (folder, built) = self.shelf(data, work)?;
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
                "nearshelf, {}, defaults (probe {}, ef {}): recall@10 {:.4}, {:.0} queries/s; {:.0} MB resident",
                set.name,
                defaults.probe,
                defaults.ef,
                point.recall,
                point.queries_per_second,
                (resident() - before) as f64 / 1e6,
            );
            EF.iter()
                .map(|&ef| at(&shelf, set, Some(ef), data.dims))
                .collect()
        };
        let curves: Vec<Curve> = data.sets.iter().map(of_set).collect::<Result<_>>()?;
        let [asked, _] = &data.sets;
        if let Some(at) = curves[0].iter().position(|point| point.recall >= RECALL) {
            text_to_hits(&shelf, &asked.texts, EF[at])?;
        }
        Ok(curves)
    }

    /// A shelf of the data, and a word about its build.
    pub fn shelf(&self, data: &Data, work: &Path) -> Result<(PathBuf, String)> {
        let folder = work.join(format!("shelf-{}", self.precision));
        if self.reuse && folder.exists() {
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
        build.args(["--precision", &self.precision]);
        run_command(build.arg("--out").arg(&folder))?;
        let seconds = start.elapsed().as_secs_f64();
        Ok((folder, format!("built in {seconds:.0} s")))
    }
}

/// Prints the median time from a text to its hits, by meaning and by both, on one thread.
fn text_to_hits(shelf: &Shelf, texts: &[String], ef: usize) -> Result<()> {
    for mode in [Mode::Meaning, Mode::Hybrid] {
        let options = SearchOptions {
            ef: Some(ef),
            mode,
            ..SearchOptions::default()
        };
        let times = texts
            .iter()
            .map(|text| time(|| shelf.search_with(text.as_str(), &options)));
        println!(
            "nearshelf, text to hits with ef {ef}, {mode:?}: {:.2} ms at the median",
            1e3 * median(times.collect::<Result<_>>()?).as_secs_f64(),
        );
    }
    Ok(())
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
