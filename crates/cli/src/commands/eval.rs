use std::collections::HashSet;

use anyhow::{Context, Result, bail};
use nearshelf::{Shelf, ValueRef};
use nearshelf_eval::{
    Bm25, Metrics, Qrels, Query, Run, evaluate, read_qrels, read_queries, write_run,
};
use serde_json::{Map, json};

use crate::commands::search::shelf_run;
use crate::commands::{open, write_whole};
use crate::output::{print, print_json, table};
use crate::{Baseline, EvalArgs};

pub fn run(args: &EvalArgs) -> Result<()> {
    let shelf = open(&args.shelf)?;
    let queries = read_queries(&args.queries)?;
    let qrels = read_qrels(&args.qrels)?;
    let mut asked = queries.clone();
    asked.retain(|query| qrels.contains_key(&query.id));
    if asked.is_empty() {
        bail!(
            "{} and {}: expected judged queries, found no id in both",
            args.queries.display(),
            args.qrels.display()
        );
    }
    warn(&shelf, &queries, &qrels);
    // Only what was asked can be answered: a judged query without a text is no miss.
    let ids: HashSet<&str> = asked.iter().map(|query| query.id.as_str()).collect();
    let qrels: Qrels = qrels
        .into_iter()
        .filter(|(query, _)| ids.contains(query.as_str()))
        .collect();

    let run = shelf_run(&shelf, &asked, &args.search.options(args.k))?;
    if let Some(path) = &args.run {
        write_whole(path, |file| {
            write_run(&mut { file }, &run, "nearshelf").context("TREC run")
        })?;
    }
    let mut results = vec![("nearshelf", evaluate(&run, &qrels, args.k, args.relevant))];
    for baseline in &args.baseline {
        let (name, run) = match baseline {
            Baseline::Exact => ("exact", exact_run(&shelf, &asked, args.k)?),
            Baseline::Bm25 => ("bm25", bm25_run(&shelf, &asked, args.k)?),
        };
        results.push((name, evaluate(&run, &qrels, args.k, args.relevant)));
    }
    if args.json {
        let systems: Map<_, _> = results
            .iter()
            .map(|(name, metrics)| (name.to_string(), json!(metrics)))
            .collect();
        return print_json(
            &json!({ "k": args.k, "relevant_from": args.relevant, "systems": systems }),
        );
    }
    print(&results_table(&results, args))
}

fn results_table(results: &[(&str, Metrics)], args: &EvalArgs) -> String {
    let k = args.k;
    let header = [
        "system".to_owned(),
        format!("recall@{k}"),
        format!("capped@{k}"),
        format!("MRR@{k}"),
        format!("nDCG@{k} exp"),
        format!("nDCG@{k} lin"),
        format!("hit@{k} (95 %)"),
    ];
    let rows = results
        .iter()
        .map(|(name, metrics)| {
            let (mean, interval) = (&metrics.mean, &metrics.hit_interval);
            let mut row = vec![name.to_string()];
            row.extend(
                [
                    mean.recall,
                    mean.recall_capped,
                    mean.mrr,
                    mean.ndcg_exponential,
                    mean.ndcg_linear,
                ]
                .map(|x| format!("{x:.4}")),
            );
            row.push(format!(
                "{:.3} ({:.3}–{:.3})",
                mean.hit, interval.low, interval.high
            ));
            row
        })
        .collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let queries = results.first().map_or(0, |(_, metrics)| metrics.queries);
    table(&header, rows, &[1, 2, 3, 4, 5, 6])
        + &format!(
            "\n{queries} queries with an item of grade {} or more; capped: recall over min({k}, relevant items); \
             nDCG with gains 2^grade − 1 and grade\n",
            args.relevant
        )
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
    let ids: HashSet<&str> = items(shelf).map(|(id, _)| id).collect();
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

/// All items: id, shard and place.
fn items(shelf: &Shelf) -> impl Iterator<Item = (&str, (u32, u32))> {
    (0..)
        .zip(&shelf.manifest().shards)
        .flat_map(move |(shard, entry)| {
            (0..entry.items).map(move |item| {
                let id = shelf.catalog().id(shard, item).unwrap_or_default();
                (id, (shard, item))
            })
        })
}

fn exact_run(shelf: &Shelf, queries: &[Query], k: usize) -> Result<Run> {
    let encoder = shelf.encoder()?;
    queries
        .iter()
        .map(|query| {
            let vector = encoder.encode(&query.text)?.vector;
            let found = shelf.catalog().search_exact(&vector, k)?;
            let hits = found
                .hits
                .iter()
                .map(|hit| (hit.id.to_owned(), hit.score))
                .collect();
            Ok((query.id.clone(), hits))
        })
        .collect()
}

fn bm25_run(shelf: &Shelf, queries: &[Query], k: usize) -> Result<Run> {
    let manifest = shelf.manifest();
    let fields: Vec<usize> = manifest
        .text_fields
        .iter()
        .filter_map(|name| manifest.fields.iter().position(|f| &f.name == name))
        .collect();
    if fields.is_empty() {
        bail!(
            "baseline bm25: expected the text fields {} among the shelf's fields, found none of them",
            manifest.text_fields.join(", ")
        );
    }
    let mut ids = Vec::new();
    let mut texts = Vec::new();
    for (id, (shard, item)) in items(shelf) {
        let parts = fields
            .iter()
            .filter_map(|&f| match shelf.catalog().value(shard, f, item) {
                Some(ValueRef::Text(text)) => Some(text),
                _ => None,
            });
        ids.push(id);
        texts.push(parts.collect::<Vec<_>>().join(" "));
    }
    let bm25 = Bm25::new(&ids, &texts);
    Ok(queries
        .iter()
        .map(|q| (q.id.clone(), bm25.search(&q.text, k)))
        .collect())
}
