//! `nearshelf verify`.

use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::json;

use crate::args::ShelfArgs;
use crate::commands::open;
use crate::output::{bytes, print, print_json, thousands};

pub fn run(args: &ShelfArgs) -> Result<()> {
    let shelf = open(&args.shelf)?;
    let start = Instant::now();
    shelf
        .verify()
        .with_context(|| format!("shelf {}", args.shelf.display()))?;
    let seconds = start.elapsed().as_secs_f64();
    let files = shelf.manifest().files().count() + 1;
    let total: u64 = shelf.manifest().files().map(|f| f.bytes).sum();
    if args.json {
        return print_json(&json!({
            "sound": true, "files": files, "bytes": total, "items": shelf.len(), "seconds": seconds,
        }));
    }
    print(&format!(
        "{}: sound; {} items, {files} files, {} read in {seconds:.1} s\n",
        args.shelf.display(),
        thousands(shelf.len() as u64),
        bytes(total),
    ))
}
