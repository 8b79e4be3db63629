//! `nearshelf update`.

use std::time::Instant;

use anyhow::{Context, Result};
use nearshelf_build::{Error, Model, UpdateOptions, Updated, update};
use serde_json::json;

use super::build::{built_in, print_problems};
use crate::args::UpdateArgs;
use crate::output::{bytes, print, print_json, thousands};
use crate::progress::Bars;

/// Names that are printed; all are counted.
const PRINTED: usize = 5;

pub fn run(args: &UpdateArgs) -> Result<()> {
    let options = UpdateOptions {
        items: args.items.clone(),
        remove: args.remove.clone(),
        out: args.out.clone(),
        keep_vectors: args.keep_vectors.clone(),
        at_hand: Some(built_in),
        strict: args.strict,
        keep: args.keep,
        threads: args.threads,
    };
    let start = Instant::now();
    let bars = Bars::new();
    let model = args.model.as_deref().map(Model::open).transpose();
    let result = model.and_then(|model| update(&args.shelf, model.as_ref(), &options, &bars));
    bars.finish();
    if let Err(Error::Strict { report, .. }) = &result {
        print_problems(report);
    }
    let updated =
        result.with_context(|| format!("shelf {} stays as it was", args.shelf.display()))?;
    print_problems(&updated.report);
    warn(&updated);
    tell(args, &updated, start.elapsed().as_secs_f64())
}

fn warn(updated: &Updated) {
    let counts = &updated.counts;
    for (names, what) in [
        (&counts.unknown, "ids to remove are not in the shelf"),
        (
            &counts.unknown_fields,
            "fields of the rows are not in the shelf",
        ),
    ] {
        if !names.is_empty() {
            let shown: Vec<&str> = names.iter().take(PRINTED).map(String::as_str).collect();
            let more = if names.len() > PRINTED { ", …" } else { "" };
            let count = thousands(names.len() as u64);
            eprintln!("warning: {count} {what}: {}{more}", shown.join(", "));
        }
    }
}

fn tell(args: &UpdateArgs, updated: &Updated, seconds: f64) -> Result<()> {
    let (counts, manifest) = (&updated.counts, &updated.manifest);
    let shelf = args.out.as_ref().unwrap_or(&args.shelf);
    let share = updated.bytes as f64 / manifest.files().map(|f| f.bytes).sum::<u64>().max(1) as f64;
    if args.json {
        return print_json(&json!({
            "shelf": shelf,
            "added": counts.added,
            "replaced": counts.replaced,
            "changed": counts.changed,
            "values": counts.values,
            "removed": counts.removed,
            "unchanged": counts.unchanged,
            "unknown": counts.unknown.len(),
            "unknown_fields": counts.unknown_fields,
            "encoded": counts.added + counts.replaced,
            "bytes": updated.bytes,
            "share": share,
            "seconds": seconds,
            "rows": updated.report.rows,
            "problems": updated.report.problem_count(),
        }));
    }
    print(&format!(
        "{}: {} items are new, {} have another text; {} have {} new values, {} went, {} are as they were\n\
         {} texts encoded; a visitor downloads {} ({:.2} % of the shelf); {seconds:.1} s\n",
        shelf.display(),
        thousands(counts.added),
        thousands(counts.replaced),
        thousands(counts.changed),
        thousands(counts.values),
        thousands(counts.removed),
        thousands(counts.unchanged),
        thousands(counts.added + counts.replaced),
        bytes(updated.bytes),
        100.0 * share,
    ))
}
