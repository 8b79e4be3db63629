//! `nearshelf compact`.

use std::time::Instant;

use anyhow::{Context, Result};
use nearshelf_build::{CompactOptions, compact};
use serde_json::json;

use super::build::warn_of_damage;
use crate::args::CompactArgs;
use crate::output::{bytes, print, print_json, thousands};
use crate::progress::Bars;

pub fn run(args: &CompactArgs) -> Result<()> {
    let options = CompactOptions {
        out: args.out.clone(),
        reuse: args.reuse.clone(),
        keep: args.keep,
        threads: args.threads,
    };
    let start = Instant::now();
    let bars = Bars::new();
    let result = compact(&args.shelf, &options, &bars);
    bars.finish();
    let compacted =
        result.with_context(|| format!("shelf {} stays as it was", args.shelf.display()))?;
    warn_of_damage(args.reuse.as_deref(), compacted.damaged);
    let shelf = args.out.as_ref().unwrap_or(&args.shelf);
    let (manifest, seconds) = (&compacted.manifest, start.elapsed().as_secs_f64());
    let decoded = manifest.items() - compacted.reused;
    if args.json {
        return print_json(&json!({
            "shelf": shelf,
            "items": manifest.items(),
            "shards": manifest.shards.len(),
            "reused": compacted.reused,
            "decoded": decoded,
            "bytes": compacted.bytes,
            "seconds": seconds,
        }));
    }
    let mut text = format!(
        "{}: {} items in {} shards, {}; {seconds:.0} s\n",
        shelf.display(),
        thousands(manifest.items()),
        manifest.shards.len(),
        bytes(compacted.bytes),
    );
    if args.reuse.is_some() {
        text += &format!(
            "{} vectors were kept, {} are what their codes say\n",
            thousands(compacted.reused),
            thousands(decoded),
        );
    }
    print(&text)
}
