//! Makes `assets/demo` from nothing but the base model and the generator.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use nearshelf_build::{BuildOptions, NoProgress, build};

use crate::shell::{cache, root};
use crate::{demo, setup};

pub fn run(catalog: Option<&Path>) -> Result<()> {
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

    let base = setup::base_model(&setup::python("requirements.txt")?)?;
    let model = setup::exported(&base, "int8")?;
    let out = root().join("assets/demo");
    let built = build(&items, &model, &out, &BuildOptions::default(), &NoProgress)?;
    println!(
        "assets/demo: {} items, {} bytes",
        built.manifest.items(),
        built.bytes
    );
    Ok(())
}
