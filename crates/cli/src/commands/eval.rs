//! `nearshelf eval`.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::{Context, Result, bail};
use nearshelf::{Mode, SearchOptions, Shelf, ValueRef};
use nearshelf_eval::{
    Bm25, Comparison, Metrics, Qrels, Query, Run, Scores, compare, evaluate, read_qrels,
    read_queries, read_run, strata, write_run,
};
use serde_json::{Map, Value, json};

use crate::args::{Baseline, EvalArgs};
use crate::commands::search::shelf_run;
use crate::commands::{open, write_whole};
use crate::output::{print, print_json, table};

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

    let runs = own_runs(&shelf, &asked, args)?;
    if let (Some(path), Some((_, run))) = (&args.run, runs.first()) {
        write_whole(path, |file| {
            write_run(&mut { file }, run, "nearshelf").context("TREC run")
        })?;
    }
    let own = runs.len();
    let mut report = Report::new(&shelf, &asked, &qrels, runs, args)?;
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
    match args.json {
        true => print_json(&report.json(args)),
        false => print(&report.text(args)),
    }
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

/// A comparison of two systems by a metric.
struct Compared {
    metric: &'static str,
    systems: (String, String),
    found: Comparison,
}

/// Everything that was measured.
struct Report {
    /// Each system's metrics; the first is the shelf.
    results: Vec<(&'static str, Metrics)>,
    comparisons: Vec<Compared>,
    parts: Vec<(String, Part)>,
}

impl Report {
    /// The metrics of a run and of the baselines asked for.
    fn new(
        shelf: &Shelf,
        asked: &[Query],
        qrels: &Qrels,
        mut runs: Vec<(&'static str, Run)>,
        args: &EvalArgs,
    ) -> Result<Self> {
        for baseline in &args.baseline {
            runs.push(match baseline {
                Baseline::Exact => (
                    "exact",
                    exact_run(shelf, asked, &args.search.options(args.k))?,
                ),
                Baseline::Bm25 => ("bm25", bm25_run(shelf, asked, args.k)?),
            });
        }
        let evaluated = |(name, run)| (name, evaluate(&run, qrels, args.k, args.relevant));
        Ok(Report {
            results: runs.into_iter().map(evaluated).collect(),
            comparisons: Vec::new(),
            parts: Vec::new(),
        })
    }

    fn json(&self, args: &EvalArgs) -> Value {
        let systems = self.results.iter();
        let systems: Map<_, _> = systems
            .map(|(name, metrics)| (name.to_string(), json!(metrics)))
            .collect();
        let comparisons = self.comparisons.iter();
        let differences: Vec<Value> = comparisons
            .map(|compared| {
                let mut entry = json!(compared.found);
                entry["metric"] = json!(compared.metric);
                entry["system"] = json!(compared.systems.0);
                entry["against"] = json!(compared.systems.1);
                entry
            })
            .collect();
        let parts = self.parts.iter();
        let parts: Map<_, _> = parts
            .map(|(name, values)| (name.clone(), parts_json(&self.results, values)))
            .collect();
        json!({
            "k": args.k,
            "relevant_from": args.relevant,
            "systems": systems,
            "comparisons": differences,
            "parts": parts,
        })
    }

    fn text(&self, args: &EvalArgs) -> String {
        let mut text = results_table(&self.results, args);
        if !self.parts.is_empty() {
            text += &parts_table(&self.results, &self.parts, args.k);
        }
        for Compared {
            metric,
            systems: (system, other),
            found,
        } in &self.comparisons
        {
            text += &format!(
                "{metric}@{}: {system} {:+.4} against {other} (95 %: {:+.4} … {:+.4}), p {:.4} by permutation, {:.4} by bootstrap\n",
                args.k,
                found.difference,
                found.interval.low,
                found.interval.high,
                found.p_permutation,
                found.p_bootstrap,
            );
        }
        text
    }
}

/// Whether a is better than b, by the metrics that people decide by.
fn compared(systems: &(String, String), a: &Metrics, b: &Metrics) -> Vec<Compared> {
    let compared = |metric: fn(&Scores) -> f64| {
        let values =
            |m: &Metrics| -> Vec<f64> { m.by_query.iter().map(|(_, s)| metric(s)).collect() };
        compare(&values(a), &values(b), 0)
    };
    let of = |metric, found| Compared {
        metric,
        systems: systems.clone(),
        found,
    };
    vec![
        of("nDCG", compared(|s| s.ndcg_exponential)),
        of("recall", compared(|s| s.recall_capped)),
    ]
}

/// The mean nDCG of some queries, for each system.
struct Part {
    queries: usize,
    means: Vec<f64>,
}

/// Parts by the queries' length; strata by how often they are asked, and verticals, where the queries say so.
fn parts(asked: &[Query], results: &[(&str, Metrics)]) -> Vec<(String, Part)> {
    let Some((_, first)) = results.first() else {
        return vec![];
    };
    let queries: HashMap<&str, &Query> = asked.iter().map(|q| (q.id.as_str(), q)).collect();
    let counted: Vec<&Query> = first
        .by_query
        .iter()
        .filter_map(|(id, _)| queries.get(id.as_str()).copied())
        .collect();
    let frequencies: Option<Vec<f64>> = counted.iter().map(|q| q.frequency).collect();
    let mut members: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, stratum) in frequencies
        .and_then(|f| strata(&f))
        .iter()
        .flatten()
        .enumerate()
    {
        members
            .entry(stratum.name().to_owned())
            .or_default()
            .push(place);
    }
    for (place, query) in counted.iter().enumerate() {
        let length = match query.text.split_whitespace().count() {
            0 | 1 => "1 word",
            2 => "2 words",
            3 => "3 words",
            _ => "4 words or more",
        };
        members.entry(length.to_owned()).or_default().push(place);
        if let Some(vertical) = &query.vertical {
            members
                .entry(format!("vertical {vertical}"))
                .or_default()
                .push(place);
        }
    }
    let mean = |metrics: &Metrics, places: &[usize]| {
        let values = places
            .iter()
            .map(|&place| metrics.by_query[place].1.ndcg_exponential);
        values.sum::<f64>() / places.len() as f64
    };
    members
        .into_iter()
        .map(|(name, places)| {
            let means = results
                .iter()
                .map(|(_, metrics)| mean(metrics, &places))
                .collect();
            let queries = places.len();
            (name, Part { queries, means })
        })
        .collect()
}

fn parts_json(results: &[(&str, Metrics)], part: &Part) -> Value {
    let names = results.iter().map(|(name, _)| (*name).to_owned());
    let means: Map<_, _> = names
        .zip(part.means.iter().map(|mean| json!(mean)))
        .collect();
    json!({ "queries": part.queries, "ndcg_exponential": means })
}

fn parts_table(results: &[(&str, Metrics)], parts: &[(String, Part)], k: usize) -> String {
    let mut header = vec![format!("nDCG@{k} exp"), "queries".to_owned()];
    header.extend(results.iter().map(|(name, _)| (*name).to_owned()));
    let rows = parts
        .iter()
        .map(|(name, part)| {
            let mut row = vec![name.clone(), part.queries.to_string()];
            row.extend(part.means.iter().map(|mean| format!("{mean:.4}")));
            row
        })
        .collect();
    let right: Vec<usize> = (1..header.len()).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    table(&header, rows, &right) + "\n"
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
            let hits = shelf.search_exact(&query.text, options)?;
            let hits = hits
                .iter()
                .map(|hit| (hit.id.to_owned(), hit.score))
                .collect();
            Ok((query.id.clone(), hits))
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
