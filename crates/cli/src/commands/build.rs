//! `nearshelf build`.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use nearshelf_build::{BuildOptions, Built, Error, ItemOptions, Model, Report, WordOptions, build};
use serde_json::json;

use crate::args::{BuildArgs, QueryBits};
use crate::demo;
use crate::output::{bytes, print, print_json, thousands};
use crate::progress::Bars;

/// Problems that are printed; all are counted.
const PRINTED: usize = 20;

pub fn run(args: &BuildArgs) -> Result<()> {
    let options = BuildOptions {
        items: ItemOptions {
            id: args.id.clone(),
            text: args.text.clone(),
            exact: args.exact.clone(),
            fields: args.fields.clone(),
            strict: args.strict,
        },
        words: WordOptions {
            language: args.language,
            synonyms: args.synonyms.clone(),
            suggestions: args.suggestions.clone(),
        },
        shard_size: args.shard_size,
        precision: args.precision,
        recall: args.recall,
        seed: args.seed,
        threads: args.threads,
        vectors: args.vectors.clone(),
        reuse: args.reuse.clone(),
        keep_vectors: args.keep_vectors.clone(),
        resume: args.resume,
        ..Default::default()
    };
    let start = Instant::now();
    let bars = Bars::new();
    let model = model(args.model.as_deref()).and_then(|model| match args.query_bits {
        QueryBits::Four => model.with_four_bits(),
        QueryBits::Eight => Ok(model),
    });
    let result = model.and_then(|model| build(&args.items, &model, &args.out, &options, &bars));
    bars.finish();
    if let Err(Error::Strict { report, .. } | Error::Empty { report, .. }) = &result {
        print_problems(report);
    }
    let built = result.with_context(|| format!("shelf {} was not built", args.out.display()))?;
    print_problems(&built.report);
    warn_of_damage(args.reuse.as_deref(), built.damaged);
    tell(args, &built, start.elapsed().as_secs_f64())
}

/// Says what was built.
fn tell(args: &BuildArgs, built: &Built, seconds: f64) -> Result<()> {
    let manifest = &built.manifest;
    let (report, search) = (&built.report, &manifest.search);
    let recall = search
        .measured
        .iter()
        .find(|m| (m.probe, m.ef) == (search.probe, search.ef))
        .map_or(0.0, |m| m.recall);
    if args.json {
        return print_json(&json!({
            "shelf": args.out,
            "items": manifest.items(),
            "shards": manifest.shards.len(),
            "bytes": built.bytes,
            "seconds": seconds,
            "truncated": built.truncated,
            "resumed": built.resumed,
            "reused": built.reused,
            "probe": search.probe,
            "ef": search.ef,
            "measured_recall_at_10": recall,
            "rows": report.rows,
            "bad_rows": report.bad_rows,
            "duplicate_ids": report.duplicate_ids,
            "missing_fields": report.missing_fields,
            "bad_values": report.bad_values,
            "without_identifier": report.without_identifier,
        }));
    }
    let items = manifest.items();
    let mut text = format!(
        "{}: {} items in {} shards, {} ({} an item), built in {seconds:.0} s\n\
         searches probe {} of {} shards with ef {}: recall@10 {recall:.3} on queries made of the items' texts\n",
        args.out.display(),
        thousands(items),
        manifest.shards.len(),
        bytes(built.bytes),
        bytes(manifest.shards.iter().map(|s| s.file.bytes).sum::<u64>() / items.max(1)),
        search.probe,
        manifest.shards.len(),
        search.ef,
    );
    if report.without_identifier > 0 {
        text += &format!(
            "{} items have none of the identifiers {}\n",
            thousands(report.without_identifier),
            args.exact.join(", ")
        );
    }
    if built.resumed > 0 {
        text += &format!(
            "{} items' vectors were those of a build that was killed\n",
            thousands(built.resumed)
        );
    }
    if built.reused > 0 {
        text += &format!("{} items' vectors were kept\n", thousands(built.reused));
    }
    if built.truncated > 0 {
        text += &format!(
            "{} items' texts were truncated\n",
            thousands(built.truncated)
        );
    }
    print(&text)
}

/// The encoder of a model directory or of a shelf; without one the demo's, which is a part of the program.
fn model(directory: Option<&Path>) -> Result<Model, Error> {
    directory.map_or_else(built_in, Model::open)
}

/// The encoder that is a part of the program.
pub fn built_in() -> Result<Model, Error> {
    let (name, bytes) = demo::encoder();
    Model::from_network(name, bytes)
}

/// Says that a file of kept vectors is damaged, which costs time and nothing else.
pub fn warn_of_damage(path: Option<&Path>, damaged: u64) {
    if let Some(path) = path.filter(|_| damaged > 0) {
        let places = thousands(damaged);
        eprintln!(
            "warning: {}: {places} damaged places are left out",
            path.display()
        );
    }
}

pub fn print_problems(report: &Report) {
    for problem in report.first.iter().take(PRINTED) {
        eprintln!("warning: {problem}");
    }
    if report.problem_count() > 0 {
        eprintln!(
            "warning: {} problems in {} rows: {} bad rows, {} duplicate ids, {} without id or text, \
             {} values of the wrong type",
            thousands(report.problem_count()),
            thousands(report.rows),
            report.bad_rows,
            report.duplicate_ids,
            report.missing_fields,
            report.bad_values,
        );
    }
}
