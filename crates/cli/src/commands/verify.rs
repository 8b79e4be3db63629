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
    let manifest = shelf.manifest();
    let mut files = manifest.files().count() + 1;
    let mut total: u64 = manifest.files().map(|f| f.bytes).sum();
    for file in manifest.other_files() {
        let path = args.shelf.join(&file.name);
        // A copy that serves searches may lack them.
        if path.is_file() {
            let found = std::fs::read(&path).with_context(|| path.display().to_string())?;
            file.verify(&found)
                .with_context(|| format!("shelf {}", args.shelf.display()))?;
            files += 1;
            total += file.bytes;
        }
    }
    let seconds = start.elapsed().as_secs_f64();
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
