//! Makes `assets/demo` from a model directory and the generator.

use std::fs;
use std::path::Path;

use anyhow::Result;
use nearshelf_build::{BuildOptions, Model, NoProgress, build};
use xtask::shell::{cache, root};

use crate::catalog;

pub fn run(model: Option<&Path>) -> Result<()> {
    let items = cache().join("demo.jsonl");
    fs::create_dir_all(cache())?;
    catalog::write(&items)?;
    let shipped = root().join("assets/model");
    let model = Model::open(model.unwrap_or(&shipped))?;
    let out = root().join("assets/demo");
    let built = build(&items, &model, &out, &BuildOptions::default(), &NoProgress)?;
    println!(
        "assets/demo: {} items, {} bytes",
        built.manifest.items(),
        built.bytes
    );
    Ok(())
}
