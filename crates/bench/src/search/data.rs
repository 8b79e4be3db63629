//! The vectors that are indexed, and those that are asked for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use nearshelf_export::Precision;
use xtask::setup;
use xtask::shell::{cli, output, run as run_command, shared_data};

use crate::{matrix, model};

/// Queries of each set.
const QUERIES: usize = 1000;
/// Ends of titles, where more items are wanted than there are titles.
const VARIANTS: [&str; 7] = [
    "black",
    "white",
    "blue",
    "small",
    "large",
    "pack of 2",
    "refurbished",
];

/// Titles with their vectors, and two sets of queries.
pub struct Data {
    pub python: PathBuf,
    pub model: PathBuf,
    /// Titles that are indexed; the others are asked for.
    pub titles: Vec<String>,
    /// A row of `dims` numbers for each title.
    pub vectors: Vec<f32>,
    pub dims: usize,
    /// `vectors` as a file of NumPy's.
    pub vectors_file: PathBuf,
    pub sets: [QuerySet; 2],
}

/// Queries and the ten items nearest to each, by exact f32 search.
pub struct QuerySet {
    pub name: &'static str,
    pub texts: Vec<String>,
    /// A row for each text.
    pub queries: Vec<f32>,
    pub truth: Vec<Vec<u32>>,
    /// `queries` and `truth` as files of NumPy's.
    pub files: [PathBuf; 2],
}

impl Data {
    /// Titles and queries of the shared catalog, encoded once; `items` titles are indexed, all for 0, and behind all of them as many
    /// variants as are lacking.
    pub fn prepare(work: &Path, items: usize) -> Result<Self> {
        let data =
            shared_data().context("the benchmark needs shared/data beside the repository")?;
        let python = setup::bench_python()?;
        let model = model::exported(&setup::base_model(&python)?, Precision::Int8)?;
        fs::create_dir_all(work)?;
        let titles = texts(&python, &data.join("catalog_titles.jsonl.gz"), "title")?;
        let asked = texts(&python, &data.join("query_suggestions.jsonl.gz"), "query")?;
        let (all, dims) = matrix::read(&encode(&model, &titles, &work.join("titles"))?)?;
        let (queries, _) = matrix::read(&encode(&model, &asked, &work.join("queries"))?)?;
        // Every so many-th title is held out, to be asked for.
        let step = titles.len() / QUERIES;
        let (held, kept): (Vec<usize>, Vec<usize>) =
            (0..titles.len()).partition(|i| i % step == 0 && i / step < QUERIES);
        let lacking = items.saturating_sub(kept.len());
        let kept = match items {
            0 => kept,
            _ => spread(&kept, items),
        };
        let mut vectors = rows(&all, dims, &kept);
        let mut indexed = texts_of(&titles, &kept);
        if lacking > 0 {
            let more = variants(&indexed, lacking);
            vectors.extend(matrix::read(&encode(&model, &more, &work.join("variants"))?)?.0);
            indexed.extend(more);
        }
        let vectors_file = work.join("vectors.npy");
        matrix::write(&vectors_file, &vectors, dims)?;
        let asked_rows = spread(&(0..asked.len()).collect::<Vec<_>>(), QUERIES);
        let set = |name, texts: Vec<String>, queries: Vec<f32>, stem: &str| {
            let stem = work.join(stem);
            QuerySet::new(name, texts, queries, dims, &vectors_file, &python, &stem)
        };
        let sets = [
            set(
                "shop queries",
                texts_of(&asked, &asked_rows),
                rows(&queries, dims, &asked_rows),
                "asked",
            )?,
            set(
                "held-out titles",
                texts_of(&titles, &held),
                rows(&all, dims, &held),
                "held",
            )?,
        ];
        Ok(Self {
            python,
            model,
            titles: indexed,
            vectors,
            dims,
            vectors_file,
            sets,
        })
    }
}

impl QuerySet {
    /// The exact neighbours, by NumPy in f32.
    fn new(
        name: &'static str,
        texts: Vec<String>,
        queries: Vec<f32>,
        dims: usize,
        vectors: &Path,
        python: &Path,
        stem: &Path,
    ) -> Result<Self> {
        let files = [
            stem.with_extension("queries.npy"),
            stem.with_extension("truth.npy"),
        ];
        matrix::write(&files[0], &queries, dims)?;
        let script = "import numpy as np,sys\n\
            v,q=np.load(sys.argv[1]),np.load(sys.argv[2])\n\
            s=q@v.T\n\
            top=np.argpartition(-s,10,axis=1)[:,:10]\n\
            np.save(sys.argv[3],top.astype(np.float32))";
        let mut numpy = Command::new(python);
        run_command(numpy.args(["-c", script]).arg(vectors).args(&files))?;
        let (truth, width) = matrix::read(&files[1])?;
        let truth = truth
            .chunks_exact(width)
            .map(|row| row.iter().map(|&i| i as u32).collect())
            .collect();
        Ok(Self {
            name,
            texts,
            queries,
            truth,
            files,
        })
    }
}

fn rows(of: &[f32], dims: usize, rows: &[usize]) -> Vec<f32> {
    let row = |&i: &usize| &of[i * dims..(i + 1) * dims];
    rows.iter().flat_map(row).copied().collect()
}

fn texts_of(texts: &[String], rows: &[usize]) -> Vec<String> {
    rows.iter().map(|&row| texts[row].clone()).collect()
}

/// Titles with other ends, in turns through all titles.
fn variants(titles: &[String], count: usize) -> Vec<String> {
    let variant = |i: usize| {
        let (turn, title) = (i / titles.len(), i % titles.len());
        format!(
            "{}, {}",
            titles[title],
            VARIANTS[(title + turn) % VARIANTS.len()]
        )
    };
    (0..count).map(variant).collect()
}

/// `count` entries, evenly spread.
fn spread(from: &[usize], count: usize) -> Vec<usize> {
    let count = count.min(from.len());
    (0..count).map(|i| from[i * from.len() / count]).collect()
}

/// One field of a gzipped JSON Lines file.
pub fn texts(python: &Path, file: &Path, field: &str) -> Result<Vec<String>> {
    let script = "import gzip,json,sys\nfor l in gzip.open(sys.argv[1]): print(json.dumps(json.loads(l)[sys.argv[2]]))";
    let mut read = Command::new(python);
    output(read.args(["-c", script]).arg(file).arg(field))?
        .lines()
        .map(|line| Ok(serde_json::from_str(line)?))
        .collect()
}

/// Vectors of texts by `nearshelf encode`, kept for the next run.
fn encode(model: &Path, texts: &[String], stem: &Path) -> Result<PathBuf> {
    let (input, out) = (stem.with_extension("txt"), stem.with_extension("npy"));
    let lines: String = texts
        .iter()
        .map(|t| t.replace(['\n', '\r'], " ") + "\n")
        .collect();
    let same = fs::read_to_string(&input).is_ok_and(|old| old == lines);
    if !same || !out.is_file() {
        let _ = fs::remove_file(&out);
        fs::write(&input, lines)?;
        let mut encode = Command::new(cli()?);
        encode.arg("encode").arg("--model").arg(model);
        encode.arg("--input").arg(&input).arg("--out").arg(&out);
        run_command(&mut encode)?;
    }
    Ok(out)
}
