//! The report of a measurement: metrics of several systems, comparisons, parts.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use nearshelf_eval::{Comparison, Metrics, Qrels, Query, Run, Scores, compare, evaluate, strata};
use serde_json::{Map, Value, json};

use crate::args::EvalArgs;
use crate::output::{print, print_json, table};

/// A comparison of two systems by a metric.
pub struct Compared {
    metric: &'static str,
    systems: (String, String),
    found: Comparison,
}

/// Everything that was measured.
pub struct Report {
    /// Each system's metrics; the first is the shelf.
    pub results: Vec<(&'static str, Metrics)>,
    pub comparisons: Vec<Compared>,
    /// Means of parts of the queries.
    pub parts: Vec<(String, Part)>,
}

impl Report {
    /// The metrics of runs.
    pub fn new(runs: Vec<(&'static str, Run)>, qrels: &Qrels, args: &EvalArgs) -> Self {
        let evaluated = |(name, run)| (name, evaluate(&run, qrels, args.k, args.relevant));
        Report {
            results: runs.into_iter().map(evaluated).collect(),
            comparisons: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// Compares the first system with each of the others.
    pub fn compare_first(&mut self) {
        let Some(((name, metrics), others)) = self.results.split_first() else {
            return;
        };
        for (other, theirs) in others {
            let pair = (name.to_string(), other.to_string());
            self.comparisons.extend(compared(&pair, metrics, theirs));
        }
    }

    pub fn print(&self, args: &EvalArgs) -> Result<()> {
        match args.json {
            true => print_json(&self.json(args)),
            false => print(&self.text(args)),
        }
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
pub fn compared(systems: &(String, String), a: &Metrics, b: &Metrics) -> Vec<Compared> {
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
pub struct Part {
    queries: usize,
    means: Vec<f64>,
}

/// Parts by the queries' length; strata by how often they are asked, and verticals, where the queries say so.
pub fn parts(asked: &[Query], results: &[(&str, Metrics)]) -> Vec<(String, Part)> {
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
