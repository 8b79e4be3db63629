//! `nearshelf encode`.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use nearshelf::Encoder;
use nearshelf_build::Progress;
use npyz::WriterBuilder;
use serde_json::json;

use crate::args::EncodeArgs;
use crate::commands::write_whole;
use crate::output::{print, print_json, thousands};
use crate::progress::Bars;

pub fn run(args: &EncodeArgs) -> Result<()> {
    let (name, bytes) = if args.input == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .context("standard input")?;
        ("standard input".to_owned(), bytes)
    } else {
        let name = args.input.display().to_string();
        (name.clone(), fs::read(&args.input).context(name)?)
    };
    let texts = lines(&name, &bytes)?;
    let mut encoder =
        Encoder::open(&args.model).with_context(|| format!("model {}", args.model.display()))?;
    if let Some(tokens) = args.max_tokens {
        encoder = encoder.with_max_tokens(tokens)?;
    }
    let threads = match args.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    };
    let start = Instant::now();
    let bars = Bars::new();
    bars.stage("encoding", texts.len() as u64);
    let encoded = encoder.encode_batch(&texts, threads, &|done| bars.at(done as u64))?;
    bars.finish();
    let seconds = start.elapsed().as_secs_f64();
    write_whole(&args.out, |out| {
        let shape = [encoded.len() as u64, encoder.dims() as u64];
        let mut writer = npyz::WriteOptions::new()
            .default_dtype()
            .shape(&shape)
            .writer(out)
            .begin_nd()?;
        for text in &encoded {
            writer.extend(text.vector.iter().copied())?;
        }
        Ok(writer.finish()?)
    })?;
    let truncated = encoded.iter().filter(|e| e.truncated()).count();
    if args.json {
        return print_json(&json!({
            "out": args.out,
            "texts": encoded.len(),
            "dims": encoder.dims(),
            "truncated": truncated,
            "seconds": seconds,
        }));
    }
    print(&format!(
        "{}: {} × {} float32 in {seconds:.1} s ({truncated} texts truncated to {} tokens)\n",
        args.out.display(),
        thousands(encoded.len() as u64),
        encoder.dims(),
        encoder.config().max_tokens,
    ))
}

/// The lines of a file; the last may end without a line break.
fn lines<'a>(name: &str, bytes: &'a [u8]) -> Result<Vec<&'a str>> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if bytes.is_empty() {
        return Ok(vec![]);
    }
    (1..)
        .zip(bytes.split(|&b| b == b'\n'))
        .map(|(number, line)| {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            std::str::from_utf8(line)
                .with_context(|| format!("{name}, line {number}: expected UTF-8"))
        })
        .collect()
}
