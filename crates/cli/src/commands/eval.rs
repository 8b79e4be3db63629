//! `nearshelf eval`.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use nearshelf::{Mode, SearchOptions, Shelf, ValueRef};
use nearshelf_eval::{
    Bm25, Qrels, Query, Run, evaluate, read_qrels, read_queries, read_run, write_run,
};

use crate::args::{Baseline, EvalArgs};
use crate::commands::report::{Report, compared, parts};
use crate::commands::search::{filtered, ranking, shelf_run};
use crate::commands::{histories, open, write_whole};

pub fn run(args: &EvalArgs) -> Result<()> {
    let shelf = open(&args.shelf)?;
    match (&args.histories, &args.queries) {
        (Some(path), _) => histories::run(&shelf, path, args),
        (None, Some(path)) => run_queries(&shelf, path, args),
        (None, None) => unreachable!("clap asks for one of them"),
    }
}

fn run_queries(shelf: &Shelf, path: &Path, args: &EvalArgs) -> Result<()> {
    let (asked, qrels) = judged(shelf, path, args)?;
    let runs = own_runs(shelf, &asked, args)?;
    if let (Some(path), Some((_, run))) = (&args.run, runs.first()) {
        write_whole(path, |file| {
            write_run(&mut { file }, run, "nearshelf").context("TREC run")
        })?;
    }
    let own = runs.len();
    let mut report = Report::new(with_baselines(shelf, &asked, runs, args)?, &qrels, args);
    for (place, (name, metrics)) in report.results[..own].iter().enumerate() {
        for (other, others) in &report.results[..place] {
            let pair = (name.to_string(), other.to_string());
            report.comparisons.extend(compared(&pair, metrics, others));
        }
    }
    if let Some(path) = &args.against {
        let other = evaluate(&read_run(path)?, &qrels, args.k, args.relevant);
        let (name, metrics) = &report.results[0];
        let pair = (name.to_string(), path.display().to_string());
        report.comparisons.extend(compared(&pair, metrics, &other));
        report.results.push(("against", other));
    }
    report.parts = parts(&asked, &report.results);
    report.print(args)
}

/// The queries that are judged, and their judgements; without any, the hits of an exact search are the right ones.
fn judged(shelf: &Shelf, path: &Path, args: &EvalArgs) -> Result<(Vec<Query>, Qrels)> {
    let queries = read_queries(path)?;
    let Some(judgements) = &args.qrels else {
        let exact = exact_run(shelf, &queries, &args.search.options(args.k))?;
        let right = exact.into_iter().filter(|(_, hits)| !hits.is_empty());
        let qrels: Qrels = right
            .map(|(id, hits)| {
                (
                    id,
                    hits.into_iter()
                        .map(|(id, _)| (id, args.relevant))
                        .collect(),
                )
            })
            .collect();
        return Ok((queries, qrels));
    };
    let qrels = read_qrels(judgements)?;
    let mut asked = queries.clone();
    asked.retain(|query| qrels.contains_key(&query.id));
    if asked.is_empty() {
        bail!(
            "{} and {}: expected judged queries, found no id in both",
            path.display(),
            judgements.display()
        );
    }
    warn(shelf, &queries, &qrels);
    // Only what was asked can be answered: a judged query without a text is no miss.
    let ids: HashSet<&str> = asked.iter().map(|query| query.id.as_str()).collect();
    let qrels = qrels
        .into_iter()
        .filter(|(query, _)| ids.contains(query.as_str()))
        .collect();
    Ok((asked, qrels))
}

/// Runs of the shelf, one for each of its ways that are compared.
fn own_runs(shelf: &Shelf, asked: &[Query], args: &EvalArgs) -> Result<Vec<(&'static str, Run)>> {
    let options = args.search.options(args.k);
    if args.systems.is_empty() {
        return Ok(vec![("nearshelf", shelf_run(shelf, asked, &options)?)]);
    }
    let run = |&mode: &Mode| {
        let options = SearchOptions {
            mode,
            ..options.clone()
        };
        Ok((mode.name(), shelf_run(shelf, asked, &options)?))
    };
    args.systems.iter().map(run).collect()
}

/// Adds the runs of the baselines that are asked for.
fn with_baselines(
    shelf: &Shelf,
    asked: &[Query],
    mut runs: Vec<(&'static str, Run)>,
    args: &EvalArgs,
) -> Result<Vec<(&'static str, Run)>> {
    for baseline in &args.baseline {
        runs.push(match baseline {
            Baseline::Exact => (
                "exact",
                exact_run(shelf, asked, &args.search.options(args.k))?,
            ),
            Baseline::Bm25 => ("bm25", bm25_run(shelf, asked, args.k)?),
            Baseline::Popular | Baseline::Words | Baseline::Mean => {
                bail!("--baseline popular, words, mean: expected --histories, found --queries")
            }
        });
    }
    Ok(runs)
}

/// Says what of the judgements cannot be found, which lowers every score.
fn warn(shelf: &Shelf, queries: &[Query], qrels: &Qrels) {
    let unasked = qrels
        .keys()
        .filter(|id| !queries.iter().any(|q| &q.id == *id))
        .count();
    if unasked > 0 {
        eprintln!("warning: {unasked} judged queries are not among the queries and were left out");
    }
    let ids: HashSet<&str> = shelf.items().map(|(id, ..)| id).collect();
    let judged: HashSet<&str> = qrels
        .values()
        .flat_map(|g| g.keys())
        .map(String::as_str)
        .collect();
    let missing = judged.iter().filter(|id| !ids.contains(**id)).count();
    if missing > 0 {
        eprintln!(
            "warning: {missing} of {} judged items are not in the shelf",
            judged.len()
        );
    }
}

fn exact_run(shelf: &Shelf, queries: &[Query], options: &SearchOptions) -> Result<Run> {
    queries
        .iter()
        .map(|query| {
            let hits = shelf.search_exact(&query.text, &filtered(query, options)?)?;
            Ok((query.id.clone(), ranking(&hits)))
        })
        .collect()
}

fn bm25_run(shelf: &Shelf, queries: &[Query], k: usize) -> Result<Run> {
    let manifest = shelf.manifest();
    let texts = manifest.text_fields.iter();
    let fields: Vec<&String> = texts
        .filter(|name| manifest.fields.iter().any(|f| f.name == **name))
        .collect();
    if fields.is_empty() {
        bail!(
            "baseline bm25: expected the text fields {} among the shelf's fields, found none of them",
            manifest.text_fields.join(", ")
        );
    }
    let mut ids = Vec::new();
    let mut texts = Vec::new();
    for (id, shard, item) in shelf.items() {
        let parts = fields
            .iter()
            .filter_map(|field| match shelf.value(shard, item, field) {
                Some(ValueRef::Text(text)) => Some(text),
                _ => None,
            });
        ids.push(id);
        texts.push(parts.collect::<Vec<_>>().join(" "));
    }
    let bm25 = Bm25::new(&texts);
    let ranked = |text: &str| {
        let hits = bm25.search(text, k).into_iter();
        hits.map(|(place, score)| (ids[place].to_owned(), score))
            .collect()
    };
    Ok(queries
        .iter()
        .map(|q| (q.id.clone(), ranked(&q.text)))
        .collect())
}
