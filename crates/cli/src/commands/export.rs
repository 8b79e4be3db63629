//! `nearshelf export`.

use std::fs;

use anyhow::{Context, Result};
use serde_json::json;

use crate::args::{ExportArgs, Precision};
use crate::output::{bytes, print, print_json};

pub fn run(args: &ExportArgs) -> Result<()> {
    let precision = match args.precision {
        Precision::Int8 => nearshelf_export::Precision::Int8,
        Precision::F32 => nearshelf_export::Precision::F32,
    };
    let texts = match &args.calibrate {
        Some(path) => fs::read_to_string(path).with_context(|| path.display().to_string())?,
        None => String::new(),
    };
    let texts: Vec<&str> = texts.lines().collect();
    let exported = nearshelf_export::export(&args.base, &args.out, precision, &texts)
        .with_context(|| format!("export of {}", args.base.display()))?;
    let config = &exported.config;
    if args.json {
        return print_json(&json!({
            "model": args.out.join("model.onnx"),
            "bytes": exported.model_bytes,
            "dims": config.dims,
            "max_tokens": config.max_tokens,
            "precision": config.precision,
            "sha256": config.model_sha256,
        }));
    }
    print(&format!(
        "{}: {} in {}, {} dimensions, texts truncated to {} tokens\n",
        args.out.display(),
        bytes(exported.model_bytes),
        config.precision.name(),
        config.dims,
        config.max_tokens,
    ))
}
