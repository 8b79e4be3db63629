//! Time and recall of search, against the same searches by other libraries.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nearshelf::{SearchOptions, Shelf};
use npyz::WriterBuilder;
use serde_json::Value;

use crate::{instant, median, read_npy};
use xtask::setup;
use xtask::shell::{cache, cli, output, root, run as run_command, shared_data};

pub const EF: [usize; 14] = [
    10, 16, 24, 32, 48, 64, 80, 100, 150, 200, 300, 400, 600, 800,
];
const TARGETS: [f64; 3] = [0.95, 0.98, 0.995];
/// Queries of each set.
const QUERIES: usize = 1000;

/// ef, recall@10, queries a second.
pub type Curve = Vec<(usize, f64, f64)>;

/// Query vectors and the ten items nearest to each, by exact f32 search.
pub struct QuerySet {
    pub name: &'static str,
    pub queries: Vec<f32>,
    pub truth: Vec<Vec<u32>>,
    files: [PathBuf; 2],
}

pub fn run(items: usize, peers: &[String], ef_construction: usize, reuse: bool) -> Result<()> {
    let data = shared_data().context("the benchmark needs shared/data beside the repository")?;
    let python = setup::bench_python()?;
    let base = setup::base_model(&python)?;
    let model = crate::exported(&base, "int8")?;
    let cli = cli()?;
    let work = cache().join("bench");
    fs::create_dir_all(&work)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);

    // Vectors of all titles, once: the longest part.
    let titles = texts(&python, &data.join("catalog_titles.jsonl.gz"), "title")?;
    let asked = texts(&python, &data.join("query_suggestions.jsonl.gz"), "query")?;
    let title_vectors = encode(&cli, &model, &titles, &work.join("titles"))?;
    let query_vectors = encode(&cli, &model, &asked, &work.join("queries"))?;
    let (all, dims) = read_npy(&title_vectors)?;
    let (asked_vectors, _) = read_npy(&query_vectors)?;
    let row = |i: usize| &all[i * dims..(i + 1) * dims];

    // Every so many-th title is held out, to be asked for.
    let step = titles.len() / QUERIES;
    let (held, kept): (Vec<usize>, Vec<usize>) =
        (0..titles.len()).partition(|i| i % step == 0 && i / step < QUERIES);
    let kept = if items == 0 {
        kept
    } else {
        spread(&kept, items)
    };
    let vectors: Vec<f32> = kept.iter().flat_map(|&i| row(i)).copied().collect();
    let vectors_file = work.join("vectors.npy");
    write_npy(&vectors_file, &vectors, dims)?;
    let held_vectors: Vec<f32> = held.iter().flat_map(|&i| row(i)).copied().collect();
    let asked_count = asked_vectors.len() / dims;
    let asked_vectors: Vec<f32> = spread(&(0..asked_count).collect::<Vec<_>>(), QUERIES)
        .iter()
        .flat_map(|&i| &asked_vectors[i * dims..(i + 1) * dims])
        .copied()
        .collect();
    let sets = [
        query_set(
            "shop queries",
            asked_vectors,
            &vectors_file,
            &python,
            &work.join("asked"),
            dims,
        )?,
        query_set(
            "held-out titles",
            held_vectors,
            &vectors_file,
            &python,
            &work.join("held"),
            dims,
        )?,
    ];

    // nearshelf, with what its own build makes of the same vectors.
    let items_file = work.join("items.jsonl");
    let lines: String = kept
        .iter()
        .enumerate()
        .map(|(id, &i)| {
            serde_json::json!({ "id": id.to_string(), "title": titles[i] }).to_string() + "\n"
        })
        .collect();
    fs::write(&items_file, lines)?;
    let shelf_dir = work.join("shelf");
    let built = if reuse && shelf_dir.exists() {
        "as it was".to_owned()
    } else {
        let start = Instant::now();
        let mut build = Command::new(&cli);
        build
            .arg("build")
            .arg("--items")
            .arg(&items_file)
            .arg("--model")
            .arg(&model);
        build
            .arg("--vectors")
            .arg(&vectors_file)
            .arg("--out")
            .arg(&shelf_dir);
        run_command(&mut build)?;
        format!(
            "built in {:.0} s on {threads} threads",
            start.elapsed().as_secs_f64()
        )
    };
    let before = resident();
    let opening = median(
        (0..21)
            .map(|_| time(|| Shelf::open(&shelf_dir)))
            .collect::<Result<_>>()?,
    );
    let shelf = Shelf::open(&shelf_dir)?;
    let opened = resident() - before;
    let bytes: u64 = shelf.manifest().shards.iter().map(|s| s.file.bytes).sum();
    let defaults = shelf.manifest().search.clone();
    println!(
        "nearshelf: {} items, {} shards, {:.0} bytes an item, {built}, \
         opened in {:.2} ms with {:.1} MB resident",
        kept.len(),
        shelf.manifest().shards.len(),
        bytes as f64 / kept.len() as f64,
        opening.as_secs_f64() * 1e3,
        opened as f64 / 1e6,
    );
    let mut results = vec![("nearshelf".to_owned(), Vec::new())];
    for set in &sets {
        let at_defaults = measure(&shelf, set, None, dims)?;
        println!(
            "nearshelf, {}, defaults (probe {}, ef {}): recall@10 {:.4}, {:.0} queries/s",
            set.name, defaults.probe, defaults.ef, at_defaults.1, at_defaults.2
        );
        let curve = EF
            .iter()
            .map(|&ef| measure(&shelf, set, Some(ef), dims))
            .collect::<Result<Curve>>()?;
        results[0].1.push(curve);
    }

    let in_python: Vec<&str> = peers
        .iter()
        .map(String::as_str)
        .filter(|p| *p != "instant-distance")
        .collect();
    if !in_python.is_empty() {
        let script = root().join("crates/bench/python/peers.py");
        let mut child = Command::new(&python)
            .arg(script)
            .arg(&vectors_file)
            .args([ef_construction.to_string(), threads.to_string()])
            .args(in_python)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut stdin = child.stdin.take().context("piped")?;
        for set in &sets {
            writeln!(
                stdin,
                "{} {}",
                set.files[0].display(),
                set.files[1].display()
            )?;
        }
        drop(stdin);
        let mut text = String::new();
        child
            .stdout
            .take()
            .context("piped")?
            .read_to_string(&mut text)?;
        if !child.wait()?.success() {
            bail!("peers.py failed");
        }
        for line in text.lines() {
            let result: Value = serde_json::from_str(line)?;
            let name = result["peer"].as_str().unwrap_or_default().to_owned();
            println!(
                "{name}: built in {:.0} s",
                result["build_seconds"].as_f64().unwrap_or_default()
            );
            let curves: Vec<Curve> = serde_json::from_value(result["curves"].clone())?;
            results.push((name, curves));
        }
    }
    if peers.iter().any(|p| p == "instant-distance") {
        let (seconds, curves) = instant::measure(&vectors, dims, ef_construction, &sets)?;
        println!("instant-distance: built in {seconds:.0} s");
        results.push(("instant-distance".to_owned(), curves));
    }

    for (i, set) in sets.iter().enumerate() {
        println!(
            "\n{}: queries a second on one thread at equal recall@10 (nearshelf ÷ peer)",
            set.name
        );
        print!("{:>18}", "recall@10");
        TARGETS.iter().for_each(|target| print!("{target:>22}"));
        println!();
        for (name, curves) in &results {
            print!("{name:>18}");
            for target in TARGETS {
                match (
                    at_recall(&curves[i], target),
                    at_recall(&results[0].1[i], target),
                ) {
                    (None, _) => print!("{:>22}", "not reached"),
                    (Some(qps), None) => print!("{qps:>22.0}"),
                    (Some(qps), Some(ours)) => {
                        print!("{:>22}", format!("{qps:.0} ({:.2})", ours / qps))
                    }
                }
            }
            println!();
        }
    }
    Ok(())
}

/// `count` entries, evenly spread.
fn spread(from: &[usize], count: usize) -> Vec<usize> {
    let count = count.min(from.len());
    (0..count).map(|i| from[i * from.len() / count]).collect()
}

/// One field of a gzipped JSON Lines file.
fn texts(python: &Path, file: &Path, field: &str) -> Result<Vec<String>> {
    let script = "import gzip,json,sys\nfor l in gzip.open(sys.argv[1]): print(json.dumps(json.loads(l)[sys.argv[2]]))";
    let lines = output(
        Command::new(python)
            .args(["-c", script])
            .arg(file)
            .arg(field),
    )?;
    lines
        .lines()
        .map(|line| Ok(serde_json::from_str(line)?))
        .collect()
}

/// Vectors of texts by `nearshelf encode`, kept for the next run.
fn encode(cli: &Path, model: &Path, texts: &[String], stem: &Path) -> Result<PathBuf> {
    let (input, out) = (stem.with_extension("txt"), stem.with_extension("npy"));
    let lines: String = texts
        .iter()
        .map(|t| t.replace(['\n', '\r'], " ") + "\n")
        .collect();
    let same = fs::read_to_string(&input).is_ok_and(|old| old == lines);
    if !same || !out.is_file() {
        let _ = fs::remove_file(&out);
        fs::write(&input, lines)?;
        run_command(
            Command::new(cli)
                .arg("encode")
                .arg("--model")
                .arg(model)
                .arg("--input")
                .arg(&input)
                .arg("--out")
                .arg(&out),
        )?;
    }
    Ok(out)
}

fn write_npy(path: &Path, values: &[f32], dims: usize) -> Result<()> {
    let out = std::io::BufWriter::new(fs::File::create(path)?);
    let shape = [(values.len() / dims) as u64, dims as u64];
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(&shape)
        .writer(out)
        .begin_nd()?;
    writer.extend(values.iter().copied())?;
    Ok(writer.finish()?)
}

/// The exact neighbours, by NumPy in f32.
fn query_set(
    name: &'static str,
    queries: Vec<f32>,
    vectors: &Path,
    python: &Path,
    stem: &Path,
    dims: usize,
) -> Result<QuerySet> {
    let files = [
        stem.with_extension("queries.npy"),
        stem.with_extension("truth.npy"),
    ];
    write_npy(&files[0], &queries, dims)?;
    let script = "import numpy as np,sys\n\
        v,q=np.load(sys.argv[1]),np.load(sys.argv[2])\n\
        s=q@v.T\n\
        top=np.argpartition(-s,10,axis=1)[:,:10]\n\
        np.save(sys.argv[3],top.astype(np.float32))";
    run_command(
        Command::new(python)
            .args(["-c", script])
            .arg(vectors)
            .args(&files),
    )?;
    let (truth, width) = read_npy(&files[1])?;
    let truth = truth
        .chunks_exact(width)
        .map(|row| row.iter().map(|&i| i as u32).collect())
        .collect();
    Ok(QuerySet {
        name,
        queries,
        truth,
        files,
    })
}

pub fn recall(found: &[Vec<u32>], truth: &[Vec<u32>]) -> f64 {
    let right: usize = found
        .iter()
        .zip(truth)
        .map(|(found, truth)| found.iter().filter(|item| truth.contains(item)).count())
        .sum();
    right as f64 / truth.iter().map(Vec::len).sum::<usize>() as f64
}

/// Searches by vector with the public API, ids and all.
fn measure(
    shelf: &Shelf,
    set: &QuerySet,
    ef: Option<usize>,
    dims: usize,
) -> Result<(usize, f64, f64)> {
    let options = SearchOptions {
        k: 10,
        probe: None,
        ef,
    };
    let mut found = Vec::new();
    let times = (0..3)
        .map(|_| {
            time(|| {
                found = set
                    .queries
                    .chunks_exact(dims)
                    .map(|query| {
                        let hits = shelf.search_vector(query, &options)?.hits;
                        Ok(hits.iter().filter_map(|hit| hit.id.parse().ok()).collect())
                    })
                    .collect::<Result<Vec<Vec<u32>>>>()?;
                anyhow::Ok(())
            })
        })
        .collect::<Result<Vec<Duration>>>()?;
    let qps = found.len() as f64 / median(times).as_secs_f64();
    Ok((ef.unwrap_or_default(), recall(&found, &set.truth), qps))
}

fn time<T, E: Into<anyhow::Error>>(call: impl FnOnce() -> Result<T, E>) -> Result<Duration> {
    let start = Instant::now();
    let result = call().map_err(Into::into)?;
    let elapsed = start.elapsed();
    drop(result);
    Ok(elapsed)
}

/// Queries a second at a recall, along the curve: time is taken as linear between two measurements.
fn at_recall(curve: &Curve, target: f64) -> Option<f64> {
    let after = curve.iter().position(|&(_, recall, _)| recall >= target)?;
    let (_, high, fast_high) = curve[after];
    if after == 0 {
        return Some(fast_high);
    }
    let (_, low, fast_low) = curve[after - 1];
    let share = (target - low) / (high - low);
    Some(1.0 / ((1.0 - share) / fast_low + share / fast_high))
}

/// Resident memory of this process in bytes, where the system tells.
fn resident() -> i64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages
        .split(' ')
        .nth(1)
        .and_then(|n| n.parse::<i64>().ok())
        .unwrap_or_default()
        * 4096
}
