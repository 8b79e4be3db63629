//! Makes `assets/demo` from a trained model and the generator.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use nearshelf_build::{BuildOptions, NoProgress, build};

use crate::demo;
use crate::shell::{cache, root};

pub fn run(catalog: Option<&Path>, model: Option<&Path>) -> Result<()> {
    let mut lines = String::new();
    for item in demo::catalog() {
        lines += &format!("{item}\n");
    }
    if let Some(path) = catalog {
        return fs::write(path, lines).with_context(|| path.display().to_string());
    }
    let items = cache().join("demo.jsonl");
    fs::create_dir_all(cache())?;
    fs::write(&items, lines)?;

    let model = model.context(
        "expected --model MODEL_DIR, as `nearshelf train --recipe training/recipes/demo.toml` makes it",
    )?;
    let out = root().join("assets/demo");
    let built = build(&items, model, &out, &BuildOptions::default(), &NoProgress)?;
    println!(
        "assets/demo: {} items, {} bytes",
        built.manifest.items(),
        built.bytes
    );
    Ok(())
}
