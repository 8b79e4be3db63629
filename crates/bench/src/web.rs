//! The npm package in Chromium against transformers.js with voy or edgevec: from nothing cached to the first hits,
//! and warm queries.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use nearshelf::Shelf;
use nearshelf_export::Precision;
use serde_json::{Value, json};
use xtask::shell::{cache, output, root};
use xtask::{setup, web};

use crate::model;
use crate::timing::middle;

const PEERS: [&str; 4] = [
    "@huggingface/transformers@4",
    "edgevec@0.9",
    "playwright-core@1",
    "voy-search@0.6",
];
/// The settings that transformers.js wants beside `tokenizer.json`.
const TOKENIZER: &str =
    r#"{"tokenizer_class":"BertTokenizer","do_lower_case":true,"model_max_length":512}"#;

pub fn run(rounds: usize) -> Result<()> {
    if !web::build()? {
        return Ok(());
    }
    let modules = setup::npm(&PEERS)?;
    let folder = cache().join("bench/web");
    let model = folder.join("model/minilm");
    fs::create_dir_all(model.join("onnx"))?;
    let base = setup::base_model(&setup::python()?)?;
    for name in ["config.json", "tokenizer.json"] {
        fs::copy(base.join(name), model.join(name))?;
    }
    fs::write(model.join("tokenizer_config.json"), TOKENIZER)?;
    let quantized = model::onnxruntime_int8()?;
    fs::copy(quantized, model.join("onnx/model_quantized.onnx"))?;

    // The peers' catalog: the demo's, with the vectors of the base model.
    let demo = root().join("assets/demo");
    let items = items(&Shelf::open(&demo)?);
    let title = |item: &Value| item["title"].as_str().unwrap_or_default().to_owned();
    let titles: Vec<String> = items.iter().map(title).collect();
    let encoder = nearshelf::Encoder::open(&model::exported(&base, Precision::Int8)?)?;
    let encoded = encoder.encode_batch(&titles, 2, &|_| ())?;
    let numbers = encoded.iter().flat_map(|text| &text.vector);
    let bytes: Vec<u8> = numbers.flat_map(|x| x.to_le_bytes()).collect();
    fs::write(folder.join("vectors.f32"), bytes)?;
    fs::write(folder.join("items.json"), Value::Array(items).to_string())?;

    let mut command = Command::new(setup::node()?);
    command
        .arg(root().join("crates/bench/js/chromium_cold.mjs"))
        .args([&folder, &web::package(), &demo, &modules])
        .arg(rounds.to_string());
    let mut measured: BTreeMap<String, [Vec<f64>; 3]> = BTreeMap::new();
    for line in output(&mut command)?.lines() {
        let mut words = line.split(' ');
        let peer = words.next().context("a peer")?.to_owned();
        let row = measured.entry(peer).or_default();
        for column in row {
            column.push(words.next().context("a figure")?.parse()?);
        }
    }
    let ours = measured
        .get("nearshelf")
        .context("a row of nearshelf")?
        .clone();
    println!("\nChromium, nothing cached, medians of {rounds} rounds; ratio to nearshelf");
    println!(
        "| | bytes | first hits, ms | warm query of 10 tokens, ms |\n| --- | --- | --- | --- |"
    );
    for (peer, row) in &measured {
        let cell = |i: usize| {
            let of = |row: &[Vec<f64>; 3]| middle(row[i].clone()).unwrap_or(f64::NAN);
            let (value, first) = (of(row), of(&ours));
            let digits = usize::from(i > 0);
            format!("{value:.digits$} ({:.2})", value / first)
        };
        println!("| {peer} | {} | {} | {} |", cell(0), cell(1), cell(2));
    }
    Ok(())
}

/// The items of a shelf as rows of a catalog.
pub fn items(shelf: &Shelf) -> Vec<Value> {
    let row = |(id, shard, item): (&str, u32, u32)| {
        let mut row = json!({ "id": id });
        for field in &shelf.manifest().fields {
            if let Some(value) = shelf.value(shard, item, &field.name) {
                row[&field.name] = json!(value);
            }
        }
        row
    };
    shelf.items().map(row).collect()
}

/// The content of both modules, by crate.
pub fn sizes() -> Result<()> {
    if !web::build()? {
        return Ok(());
    }
    for web::Build { name, .. } in web::BUILDS {
        let packed = web::package().join("wasm").join(format!("{name}.wasm"));
        let mut command = Command::new("node");
        command
            .arg(root().join("crates/bench/js/wasm_size.mjs"))
            .args([packed, web::compiled(name)]);
        println!("{name}: {}", output(&mut command)?);
    }
    Ok(())
}
