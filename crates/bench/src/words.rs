//! Search by words on all titles of the shared catalog, against tantivy over the same terms; and what words add to a search
//! by meaning.

use std::fs;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use nearshelf::{Mode, Query, SearchOptions, Shelf};
use nearshelf_build::Language;
use nearshelf_lexical::Analyzer;
use serde::Deserialize;
use xtask::setup;
use xtask::shell::{cache, output, root, shared_data};

use crate::search::data::{Data, texts};
use crate::search::ours::Own;

/// Rounds, of which the fastest of each query counts.
const ROUNDS: usize = 3;

/// The answer of `tantivy_words.py`.
#[derive(Deserialize)]
struct Tantivy {
    build_seconds: f64,
    microseconds: Vec<f64>,
    hits: Vec<Vec<usize>>,
    nothing: f64,
    segments: usize,
}

pub fn run(reuse: bool) -> Result<()> {
    let work = cache().join("bench");
    let data = Data::prepare(&work, 0)?;
    let shared = shared_data().context("the benchmark needs shared/data beside the repository")?;
    let precision = "4+4".to_owned();
    let (folder, built) = Own { precision, reuse }.shelf(&data, &work)?;
    println!("nearshelf: {built}");
    let shelf = Shelf::open(folder)?;
    sizes(&shelf);
    for name in ["shop_queries", "query_suggestions"] {
        let path = shared.join(format!("{name}.jsonl.gz"));
        let queries = texts(&data.python, &path, "query")?;
        println!("\n{name}: {} queries, median and 95 % in µs", queries.len());
        let words = times(&shelf, &queries, Mode::Words)?;
        let meaning = times(&shelf, &queries, Mode::Meaning)?;
        let hybrid = times(&shelf, &queries, Mode::Hybrid)?;
        let added: Vec<f64> = hybrid.iter().zip(&meaning).map(|(a, b)| a - b).collect();
        print("words", &words);
        print("meaning, without encoding", &meaning);
        print("hybrid, without encoding", &hybrid);
        print("added by words, by query", &added);
        let tantivy = tantivy(&data, &queries)?;
        print("tantivy", &tantivy.microseconds);
        println!(
            "{:>28} {:.1} (a term that is nowhere), {} segments, built in {:.1} s",
            "tantivy's call", tantivy.nothing, tantivy.segments, tantivy.build_seconds
        );
        overlap(&shelf, &queries, &tantivy)?;
    }
    Ok(())
}

fn sizes(shelf: &Shelf) {
    let items = shelf.len() as f64;
    let shards = 0..shelf.manifest().shards.len();
    let sections = shards.flat_map(|shard| shelf.sections(shard));
    let of_words = ["TRMH", "TRME", "POST", "LENS"];
    let in_shards = sections.filter(|section| of_words.contains(&&*section.kind));
    let in_shards: usize = in_shards.map(|section| section.bytes).sum();
    let shared = shelf
        .manifest()
        .words
        .as_ref()
        .map_or(0, |words| words.file.bytes);
    println!(
        "words: {:.1} bytes an item ({:.1} in shards, {:.1} in the words file)",
        (in_shards as f64 + shared as f64) / items,
        in_shards as f64 / items,
        shared as f64 / items,
    );
}

/// Microseconds of each query, its vector at hand.
fn times(shelf: &Shelf, queries: &[String], mode: Mode) -> Result<Vec<f64>> {
    let options = SearchOptions {
        mode,
        ..SearchOptions::default()
    };
    let encoder = shelf.encoder()?;
    let time = |query: &String| {
        let vector = match mode {
            Mode::Words => None,
            _ => Some(encoder.encode(query)?.vector),
        };
        let mut fastest = f64::INFINITY;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            shelf.search_encoded(&Query::Text(query), vector.as_deref(), &options)?;
            fastest = fastest.min(start.elapsed().as_secs_f64() * 1e6);
        }
        Ok(fastest)
    };
    queries.iter().map(time).collect()
}

fn print(name: &str, times: &[f64]) {
    let mut sorted = times.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |share: usize| sorted[(sorted.len() - 1) * share / 100];
    println!("{name:>28} {:.0} … {:.0}", at(50), at(95));
}

/// tantivy over the terms of the titles: those that nearshelf counts, so that both compare the same.
fn tantivy(data: &Data, queries: &[String]) -> Result<Tantivy> {
    let analyzer = Analyzer::new(Language::English);
    let terms = |text: &String| {
        let spoken = analyzer.spoken(text);
        let terms: Vec<String> = spoken.iter().map(|token| analyzer.term(token)).collect();
        terms.join(" ") + "\n"
    };
    let work = cache().join("bench");
    let (documents, asked) = (work.join("terms.txt"), work.join("asked-terms.txt"));
    fs::write(
        &documents,
        data.titles.iter().map(terms).collect::<String>(),
    )?;
    fs::write(&asked, queries.iter().map(terms).collect::<String>())?;
    let mut command = Command::new(setup::bench_python()?);
    command.arg(root().join("crates/bench/python/tantivy_words.py"));
    Ok(serde_json::from_str(&output(
        command.args([&documents, &asked]),
    )?)?)
}

/// The share of tantivy's ten best that are among ours, of queries whose words are all known as they are.
fn overlap(shelf: &Shelf, queries: &[String], tantivy: &Tantivy) -> Result<()> {
    let options = SearchOptions {
        mode: Mode::Words,
        ..SearchOptions::default()
    };
    let (mut both, mut all) = (0, 0);
    for (query, theirs) in queries.iter().zip(&tantivy.hits) {
        let answer = shelf.search_with(query, &options)?;
        if answer.corrected().is_empty() && theirs.len() == 10 {
            let ours: Vec<usize> = answer
                .hits
                .iter()
                .filter_map(|hit| hit.id.parse().ok())
                .collect();
            both += theirs.iter().filter(|place| ours.contains(place)).count();
            all += 10;
        }
    }
    println!(
        "{:>28} {:.2}",
        "the same of the ten best",
        both as f64 / all.max(1) as f64
    );
    Ok(())
}
