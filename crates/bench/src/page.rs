//! A page's search box over the demo in Chromium, against MiniSearch and Orama: words alone, and with a filter and facets.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use nearshelf::Shelf;
use serde::Deserialize;
use serde_json::Value;
use xtask::shell::{cache, output, root};
use xtask::{setup, web};

use crate::web::items;

const PEERS: [&str; 3] = ["@orama/orama@3", "minisearch@7", "playwright-core@1"];
/// Sections of a shard that hold words.
const WORDS: [&str; 4] = ["TRMH", "TRME", "POST", "LENS"];

/// Milliseconds a query of a peer.
#[derive(Deserialize)]
struct Measured {
    bytes: Option<usize>,
    words: f64,
    faceted: Option<f64>,
    hybrid: Option<f64>,
}

pub fn run() -> Result<()> {
    if !web::build()? {
        return Ok(());
    }
    let modules = setup::npm(&PEERS)?;
    let folder = cache().join("bench/page");
    fs::create_dir_all(&folder)?;
    let demo = root().join("assets/demo");
    let shelf = Shelf::open(&demo)?;
    let rows = Value::Array(items(&shelf)).to_string();
    fs::write(folder.join("items.json"), rows)?;
    let mut command = Command::new(setup::node()?);
    command
        .arg(root().join("crates/bench/js/chromium_page.mjs"))
        .args([&folder, &web::package(), &demo, &modules]);
    let measured: BTreeMap<String, Measured> = serde_json::from_str(&output(&mut command)?)?;
    let ours = measured.get("nearshelf").context("a row of nearshelf")?;
    println!(
        "\nChromium, the demo, a query's mean, median of five rounds; ratio of nearshelf to the peer"
    );
    println!(
        "| | index of words, bytes | words, ms | with a filter and three facets, ms | by meaning as well, ms |"
    );
    println!("| --- | --- | --- | --- | --- |");
    for (peer, row) in &measured {
        let ratio = |ours: f64, theirs: f64| format!("{theirs:.3} ({:.2})", ours / theirs);
        let own = own_bytes(&shelf);
        let bytes = row.bytes.unwrap_or(own);
        let faceted = row.faceted.zip(ours.faceted);
        println!(
            "| {peer} | {bytes} ({:.2}) | {} | {} | {} |",
            own as f64 / bytes as f64,
            ratio(ours.words, row.words),
            faceted.map_or_else(String::new, |(theirs, ours)| ratio(ours, theirs)),
            row.hybrid.map_or_else(String::new, |ms| format!("{ms:.3}")),
        );
    }
    Ok(())
}

/// Bytes of the shelf's words: the file that all shards share, and each shard's part.
fn own_bytes(shelf: &Shelf) -> usize {
    let manifest = shelf.manifest();
    let file = manifest
        .words
        .as_ref()
        .map_or(0, |words| words.file.bytes as usize);
    let sections = (0..manifest.shards.len()).flat_map(|shard| shelf.sections(shard));
    let words = sections.filter(|section| WORDS.contains(&section.kind.as_str()));
    file + words.map(|section| section.bytes).sum::<usize>()
}
