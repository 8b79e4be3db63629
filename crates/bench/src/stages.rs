//! The demo page behind a phone's line: bytes and time to the first hits by words, and by words and meaning.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use serde::Deserialize;
use xtask::shell::{cache, copy_files, output, root};
use xtask::{setup, site};

use crate::timing::middle;

/// A figure by words, and by words and meaning.
#[derive(Deserialize)]
struct Both {
    words: f64,
    both: f64,
}

/// A first visit, and where the line is that of the machine itself, one after it.
#[derive(Deserialize)]
struct Visit {
    line: String,
    bytes: Both,
    ms: Both,
    /// Bytes of the tab's process, its share of what is shared.
    pss: f64,
    again: Option<Both>,
}

/// Measures the demo page, over the demo or another shelf of its catalog.
pub fn run(rounds: usize, shelf: Option<&Path>) -> Result<()> {
    let folder = cache().join("bench/stages");
    site::run(0, Some(folder.clone()))?;
    if let Some(shelf) = shelf {
        copy_files(shelf, &folder.join("shelf"))?;
    }
    let modules = setup::npm(&["playwright-core@1"])?;
    let mut command = Command::new(setup::node()?);
    command
        .arg(root().join("crates/bench/js/chromium_stages.mjs"))
        .args([folder, modules])
        .arg(rounds.to_string());
    let mut visits: BTreeMap<String, Vec<Visit>> = BTreeMap::new();
    for row in output(&mut command)?.lines() {
        let visit: Visit = serde_json::from_str(row)?;
        visits.entry(visit.line.clone()).or_default().push(visit);
    }
    println!("\nThe demo page in Chromium, nothing cached, medians of {rounds} rounds");
    println!(
        "| line | by words: MB | ms | by words and meaning: MB | ms | the tab, MB | second visit: ms | ms |\n| --- | --- | --- | --- | --- | --- | --- | --- |"
    );
    for (line, visits) in &visits {
        let middle =
            |of: &dyn Fn(&Visit) -> Option<f64>| middle(visits.iter().filter_map(of).collect());
        let ms = |of: &dyn Fn(&Visit) -> Option<f64>| {
            middle(of).map_or_else(String::new, |ms| format!("{ms:.0}"))
        };
        let mb = |of: &dyn Fn(&Visit) -> Option<f64>| {
            middle(of).map_or_else(String::new, |bytes| format!("{:.2}", bytes / 1e6))
        };
        println!(
            "| {line} | {} | {} | {} | {} | {} | {} | {} |",
            mb(&|v| Some(v.bytes.words)),
            ms(&|v| Some(v.ms.words)),
            mb(&|v| Some(v.bytes.both)),
            ms(&|v| Some(v.ms.both)),
            mb(&|v| Some(v.pss)),
            ms(&|v| Some(v.again.as_ref()?.words)),
            ms(&|v| Some(v.again.as_ref()?.both)),
        );
    }
    Ok(())
}
