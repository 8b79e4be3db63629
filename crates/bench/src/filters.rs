//! Filters inside the search, on all titles of the shared catalog with fields: recall and speed by the share that is allowed, and
//! by where the allowed items lie, against faiss; the time of a filter's sets and of facets.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use nearshelf::{Filter, Query, SearchOptions, Shelf};
use serde_json::json;
use xtask::shell::{cache, cli, output, root, run as run_command, shared_data};

use crate::matrix;
use crate::search::curve::{Curve, EF, Point, at_recall, recall};
use crate::search::data::{Data, texts};

/// Cells that items lie in: what filters that depend on the query are made of.
const CELLS: usize = 200;
/// Cells whose queries are asked, and queries of each at most.
const ASKED: (usize, usize) = (8, 25);
const SHARES: [f64; 5] = [0.9, 0.5, 0.1, 0.01, 0.001];
const ROUNDS: usize = 3;

/// Items with the fields that filters are made of.
pub struct Catalog {
    /// Of each item, 0 to 1, by chance.
    chance: Vec<f64>,
    /// The cell of each item.
    cells: Vec<usize>,
    /// For each cell all cells, the nearest first.
    near: Vec<Vec<usize>>,
}

/// The share that filters allow, their kind, and the filters.
type Row = (f64, &'static str, Vec<Case>);

impl Case {
    fn vectors(&self, data: &Data, all: &[f32]) -> Vec<f32> {
        let rows = self.queries.iter();
        let rows = rows.flat_map(|&query| row(all, data.dims, query));
        rows.copied().collect()
    }
}

/// A filter and the queries that are asked with it.
struct Case {
    filter: Filter,
    allowed: Vec<bool>,
    queries: Vec<usize>,
    truth: Vec<Vec<u32>>,
}

pub fn run(reuse: bool, faiss: bool) -> Result<()> {
    let work = cache().join("bench");
    let data = Data::prepare(&work, 0)?;
    let catalog = catalog(&data);
    let shelf = Shelf::open(shelf(&data, &catalog, &work, reuse)?)?;
    let vectors = &data.sets[1].queries;
    let scores = Scores::new(&data, vectors);
    let (plain, _) = point(&shelf, &data, vectors, None, None)?;
    println!("no filter, defaults: {plain:.0} queries/s");
    let mut rows = Vec::new();
    for share in SHARES {
        for kind in ["independent", "own cluster", "opposed"] {
            rows.push((share, kind, cases(&data, &catalog, &scores, share, kind)));
        }
    }
    let theirs = match faiss {
        true => peer(&data, vectors, &work, &rows)?,
        false => vec![],
    };
    println!(
        "\n| allowed | filter | recall@10 | queries/s (÷ no filter) | faiss at 0.98 (nearshelf ÷ faiss) |"
    );
    println!("| --- | --- | --- | --- | --- |");
    for (number, (share, kind, cases)) in rows.iter().enumerate() {
        let own = measured(&shelf, &data, vectors, cases, None)?;
        let ours: Curve = EF
            .iter()
            .map(|&ef| measured(&shelf, &data, vectors, cases, Some(ef)))
            .collect::<Result<_>>()?;
        let peer = theirs.get(number).and_then(|curve| at_recall(curve, 0.98));
        let peer = peer.map_or("–".to_owned(), |theirs| {
            let ratio = at_recall(&ours, 0.98).map(|ours| ours / theirs);
            format!("{theirs:.0} ({:.2})", ratio.unwrap_or(f64::NAN))
        });
        println!(
            "| {:.1} % | {kind} | {:.4} | {:.0} ({:.2}) | {peer} |",
            100.0 * share,
            own.recall,
            own.queries_per_second,
            own.queries_per_second / plain,
        );
    }
    sets(&shelf)?;
    facets(&shelf, &data)
}

/// The fields of the items, by the vectors and by their numbers.
pub fn catalog(data: &Data) -> Catalog {
    let items = data.titles.len();
    let anchors: Vec<&[f32]> = (0..CELLS)
        .map(|cell| row(&data.vectors, data.dims, cell * items / CELLS))
        .collect();
    let nearest = |vector: &[f32]| {
        let mut order: Vec<usize> = (0..CELLS).collect();
        order.sort_by(|&a, &b| dot(anchors[b], vector).total_cmp(&dot(anchors[a], vector)));
        order
    };
    let best = |vector: &[f32]| {
        let scores = anchors.iter().map(|anchor| dot(anchor, vector));
        let best = scores.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
        best.map_or(0, |(cell, _)| cell)
    };
    // A multiplicative hash: spread evenly, and the same each time.
    let chance =
        |item: usize| (item as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) as f64 / 2f64.powi(64);
    Catalog {
        chance: (0..items).map(chance).collect(),
        cells: (0..items)
            .map(|item| best(row(&data.vectors, data.dims, item)))
            .collect(),
        near: anchors.iter().map(|anchor| nearest(anchor)).collect(),
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn row(of: &[f32], dims: usize, at: usize) -> &[f32] {
    &of[at * dims..(at + 1) * dims]
}

/// A shelf of the titles with the fields; with `reuse` that of the last run.
pub fn shelf(
    data: &Data,
    catalog: &Catalog,
    work: &Path,
    reuse: bool,
) -> Result<std::path::PathBuf> {
    let folder = work.join("shelf-fields");
    if reuse && folder.exists() {
        return Ok(folder);
    }
    let line = |(item, title): (usize, &String)| {
        let brand = title.split_whitespace().next().unwrap_or_default();
        json!({
            "id": item.to_string(), "title": title, "brand": brand,
            "chance": catalog.chance[item], "cell": catalog.cells[item],
            "category": format!("c{}", catalog.cells[item] % 40), "in_stock": catalog.chance[item] < 0.9,
        })
        .to_string()
            + "\n"
    };
    let lines: String = data.titles.iter().enumerate().map(line).collect();
    let items = work.join("items-fields.jsonl");
    fs::write(&items, lines)?;
    let mut build = Command::new(cli()?);
    build.args([
        "build",
        "--fields",
        "title,brand,chance:number,cell:number,category,in_stock",
    ]);
    build
        .arg("--items")
        .arg(&items)
        .arg("--model")
        .arg(&data.model);
    build
        .arg("--vectors")
        .arg(&data.vectors_file)
        .arg("--out")
        .arg(&folder);
    run_command(&mut build)?;
    Ok(folder)
}

/// The exact score of each item for each query that is asked.
struct Scores {
    by_cell: Vec<(usize, Vec<usize>)>,
    scores: std::collections::HashMap<usize, Vec<f32>>,
}

impl Scores {
    fn new(data: &Data, vectors: &[f32]) -> Self {
        let items = data.titles.len();
        let mut by_cell: Vec<(usize, Vec<usize>)> = (0..CELLS).map(|cell| (cell, vec![])).collect();
        for query in 0..vectors.len() / data.dims {
            let vector = row(vectors, data.dims, query);
            let score =
                |cell: usize| dot(row(&data.vectors, data.dims, cell * items / CELLS), vector);
            let best = (0..CELLS).max_by(|&a, &b| score(a).total_cmp(&score(b)));
            by_cell[best.unwrap_or(0)].1.push(query);
        }
        by_cell.sort_by_key(|(cell, queries)| (std::cmp::Reverse(queries.len()), *cell));
        by_cell.truncate(ASKED.0);
        for (_, queries) in &mut by_cell {
            queries.truncate(ASKED.1);
        }
        let asked = by_cell.iter().flat_map(|(_, queries)| queries);
        let scored = asked.map(|&query| {
            let vector = row(vectors, data.dims, query);
            let all = data.vectors.chunks_exact(data.dims);
            (query, all.map(|item| dot(item, vector)).collect())
        });
        let scores = scored.collect();
        Scores { by_cell, scores }
    }

    /// The ten best of the allowed items.
    fn truth(&self, query: usize, allowed: &[bool]) -> Vec<u32> {
        let scores = &self.scores[&query];
        let mut items: Vec<u32> = (0..scores.len() as u32)
            .filter(|&i| allowed[i as usize])
            .collect();
        let order = |a: &u32, b: &u32| scores[*b as usize].total_cmp(&scores[*a as usize]);
        if items.len() > 10 {
            items.select_nth_unstable_by(9, order);
            items.truncate(10);
        }
        items
    }
}

/// A filter for the queries of each cell that allows a share of all items: of any, of those nearest to the cell, or of those
/// farthest from it.
fn cases(data: &Data, catalog: &Catalog, scores: &Scores, share: f64, kind: &str) -> Vec<Case> {
    let items = data.titles.len();
    let case = |(cell, queries): &(usize, Vec<usize>)| {
        let mut order = catalog.near[*cell].clone();
        if kind == "opposed" {
            order.reverse();
        }
        let (mut cells, mut held) = (vec![], 0);
        for cell in order {
            if held as f64 >= share * items as f64 {
                break;
            }
            held += catalog.cells.iter().filter(|&&of| of == cell).count();
            cells.push(cell);
        }
        // What the last cell brings too many of is left to chance.
        let most = match kind {
            "independent" => share,
            _ => share * items as f64 / held as f64,
        };
        let by_chance = Filter::below("chance", most);
        let filter = match kind {
            "independent" => by_chance,
            _ => Filter::one_of("cell", cells.iter().map(|&cell| cell as f64)).and(by_chance),
        };
        let of = |item: usize| {
            catalog.chance[item] < most
                && (kind == "independent" || cells.contains(&catalog.cells[item]))
        };
        let allowed: Vec<bool> = (0..items).map(of).collect();
        Case {
            filter,
            truth: queries
                .iter()
                .map(|&query| scores.truth(query, &allowed))
                .collect(),
            allowed,
            queries: queries.clone(),
        }
    };
    scores.by_cell.iter().map(case).collect()
}

/// Recall and speed over all cases.
fn measured(
    shelf: &Shelf,
    data: &Data,
    vectors: &[f32],
    cases: &[Case],
    ef: Option<usize>,
) -> Result<Point> {
    let (mut seconds, mut found, mut truth) = (0.0, Vec::new(), Vec::new());
    for case in cases {
        let (qps, hits) = point(
            shelf,
            data,
            &case.vectors(data, vectors),
            Some(&case.filter),
            ef,
        )?;
        seconds += case.queries.len() as f64 / qps;
        found.extend(hits);
        truth.extend(case.truth.iter().cloned());
    }
    Ok(Point {
        recall: recall(&found, &truth),
        queries_per_second: found.len() as f64 / seconds,
    })
}

/// Queries a second and the items found, the fastest of some rounds; the filter's sets are made before.
fn point(
    shelf: &Shelf,
    data: &Data,
    queries: &[f32],
    filter: Option<&Filter>,
    ef: Option<usize>,
) -> Result<(f64, Vec<Vec<u32>>)> {
    let options = SearchOptions {
        filter: filter.cloned(),
        ef,
        ..SearchOptions::default()
    };
    let (mut fastest, mut found) = (f64::INFINITY, vec![]);
    for _ in 0..=ROUNDS {
        let start = Instant::now();
        found = queries
            .chunks_exact(data.dims)
            .map(|query| {
                let hits = shelf.search_vector(query, &options)?.hits;
                Ok(hits.iter().filter_map(|hit| hit.id.parse().ok()).collect())
            })
            .collect::<Result<Vec<Vec<u32>>>>()?;
        fastest = fastest.min(start.elapsed().as_secs_f64());
    }
    Ok((found.len() as f64 / fastest, found))
}

/// faiss on the same cases, a curve for each row.
fn peer(data: &Data, vectors: &[f32], work: &Path, rows: &[Row]) -> Result<Vec<Curve>> {
    let folder = work.join("filters");
    fs::create_dir_all(&folder)?;
    let mut asked = Vec::new();
    for (number, case) in rows.iter().flat_map(|(_, _, cases)| cases).enumerate() {
        let bitmap = folder.join(format!("{number}.bits"));
        let queries = folder.join(format!("{number}.npy"));
        let mut bits = vec![0u8; case.allowed.len().div_ceil(8)];
        let allowed = case
            .allowed
            .iter()
            .enumerate()
            .filter(|(_, allowed)| **allowed);
        for (item, _) in allowed {
            bits[item / 8] |= 1 << (item % 8);
        }
        fs::write(&bitmap, bits)?;
        matrix::write(&queries, &case.vectors(data, vectors), data.dims)?;
        asked.push(json!({ "bitmap": bitmap, "queries": queries, "truth": case.truth }));
    }
    let list = folder.join("cases.json");
    fs::write(&list, json!(asked).to_string())?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut python = Command::new(&data.python);
    python.arg(root().join("crates/bench/python/filters.py"));
    python
        .arg(&data.vectors_file)
        .args(["200".to_owned(), threads.to_string()])
        .arg(&list);
    let curves: Vec<Vec<(usize, f64, f64)>> = serde_json::from_str(&output(&mut python)?)?;
    let mut rest = &curves[..];
    let of_row = |(_, _, cases): &Row| {
        let (curves, others) = rest.split_at(cases.len());
        rest = others;
        joined(curves, cases)
    };
    Ok(rows.iter().map(of_row).collect())
}

/// The curves of cases as one. At an ef that a case did not need any more, its last point counts.
fn joined(curves: &[Vec<(usize, f64, f64)>], cases: &[Case]) -> Curve {
    let longest = curves.iter().map(Vec::len).max().unwrap_or_default();
    let point = |at: usize| {
        let points = curves.iter().zip(cases).map(|(curve, case)| {
            let (_, recall, qps) = curve[at.min(curve.len() - 1)];
            (case.queries.len() as f64, recall, qps)
        });
        let points: Vec<(f64, f64, f64)> = points.collect();
        let queries: f64 = points.iter().map(|p| p.0).sum();
        Point {
            recall: points.iter().map(|(n, recall, _)| n * recall).sum::<f64>() / queries,
            queries_per_second: queries / points.iter().map(|(n, _, qps)| n / qps).sum::<f64>(),
        }
    };
    (0..longest).map(point).collect()
}

/// The time that a filter's sets take, made and found again.
fn sets(shelf: &Shelf) -> Result<()> {
    println!("\nA filter's first items without a query, µs: first time, then again");
    for text in [
        "chance < 0.5",
        "brand IN [\"Men's\", \"Black\"]",
        "category = \"c7\" AND in_stock = true AND chance < 0.3",
    ] {
        let filter: Filter = text.parse()?;
        let options = |filter: Filter| SearchOptions {
            k: 1,
            filter: Some(filter),
            ..SearchOptions::default()
        };
        // A bound that no filter had yet makes it another.
        let first = median((0..21).map(|round| {
            let new = filter
                .clone()
                .and(Filter::below("chance", 2.0 + f64::from(round)));
            timed(shelf, "", &options(new))
        }))?;
        timed(shelf, "", &options(filter.clone()))?;
        let again = median((0..21).map(|_| timed(shelf, "", &options(filter.clone()))))?;
        println!("  {text}: {first:.0}, {again:.0}");
    }
    Ok(())
}

/// The time that facets of three fields add to a search.
fn facets(shelf: &Shelf, data: &Data) -> Result<()> {
    let shared = shared_data().context("the benchmark needs shared/data beside the repository")?;
    let queries = texts(&data.python, &shared.join("shop_queries.jsonl.gz"), "query")?;
    let plain = SearchOptions::default();
    let faceted = SearchOptions {
        facets: ["brand", "category", "chance:histogram:10"]
            .map(|facet| facet.parse().map_err(anyhow::Error::msg))
            .into_iter()
            .collect::<Result<_>>()?,
        ..SearchOptions::default()
    };
    let (mut added, mut counts) = (Vec::new(), Vec::new());
    for query in queries.iter().take(1000) {
        let vector = shelf.encode_query(query, &plain)?.vector;
        let ask = |options: &SearchOptions| -> Result<(f64, u64)> {
            let (mut fastest, mut count) = (f64::INFINITY, 0);
            for _ in 0..ROUNDS {
                let start = Instant::now();
                let found = shelf.search_encoded(&Query::Text(query), Some(&vector), options)?;
                fastest = fastest.min(start.elapsed().as_secs_f64() * 1e6);
                count = found.matches.map_or(0, |matches| matches.count);
            }
            Ok((fastest, count))
        };
        let (with, count) = ask(&faceted)?;
        added.push(Ok(with - ask(&plain)?.0));
        counts.push(count);
    }
    counts.sort_unstable();
    println!(
        "\nThree facets over the match set add {:.0} µs to a search at the median; {} items match at the median, {} at most",
        median(added.into_iter())?,
        counts[counts.len() / 2],
        counts[counts.len() - 1],
    );
    Ok(())
}

fn timed(shelf: &Shelf, query: &str, options: &SearchOptions) -> Result<f64> {
    let start = Instant::now();
    shelf.search_encoded(&Query::Text(query), None, options)?;
    Ok(start.elapsed().as_secs_f64() * 1e6)
}

fn median(values: impl Iterator<Item = Result<f64>>) -> Result<f64> {
    let mut values = values.collect::<Result<Vec<f64>>>()?;
    values.sort_unstable_by(f64::total_cmp);
    Ok(values[values.len() / 2])
}
