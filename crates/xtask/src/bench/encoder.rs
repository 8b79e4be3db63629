use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nearshelf::Encoder;

use super::median;
use crate::setup;
use crate::shell::{output, root};

const TOKENS: [usize; 6] = [8, 16, 32, 64, 128, 256];
const RUNS: usize = 60;

/// Latency of one text on one thread, against ONNX Runtime INT8 of the same model.
pub fn run() -> Result<()> {
    let python = setup::python("requirements.txt")?;
    let base = setup::base_model(&python)?;
    let encoder = Encoder::open(&setup::exported(&base, "int8")?)?;
    // ONNX Runtime gets what its own quantizer makes of the f32 model: its kernels want that form.
    let f32 = setup::exported(&base, "f32")?;
    let theirs = f32.join("onnxruntime-int8.onnx");
    let quantizer = root().join("tests/reference/quantize.py");
    output(
        Command::new(&python)
            .arg(quantizer)
            .arg(f32.join("model.onnx"))
            .arg(&theirs),
    )?;
    let script = root().join("crates/xtask/python/ort_latency.py");

    let mut ours = Vec::new();
    for tokens in TOKENS {
        // One token a word, and the two special ones.
        let text = vec!["warm"; tokens - 2].join(" ");
        anyhow::ensure!(
            encoder.tokenize(&text)?.len() == tokens,
            "expected {tokens} tokens"
        );
        let once = || -> Result<Duration> {
            let start = Instant::now();
            encoder.encode(&text)?;
            Ok(start.elapsed())
        };
        (0..5).try_for_each(|_| once().map(|_| ()))?;
        ours.push(median((0..RUNS).map(|_| once()).collect::<Result<_>>()?));
    }
    let latencies = output(
        Command::new(&python)
            .arg(script)
            .arg(&theirs)
            .args(TOKENS.map(|t| t.to_string())),
    )?;
    println!("encoding one text, 1 thread, INT8, median of {RUNS}");
    println!(
        "{:>8} {:>14} {:>16} {:>8}",
        "tokens", "nearshelf, ms", "ONNX Runtime, ms", "ratio"
    );
    for ((tokens, ours), theirs) in TOKENS.iter().zip(&ours).zip(latencies.lines()) {
        let (ours, theirs) = (
            ours.as_secs_f64() * 1e3,
            theirs.parse::<f64>().context("a time")?,
        );
        println!(
            "{tokens:>8} {ours:>14.2} {theirs:>16.2} {:>8.2}",
            ours / theirs
        );
    }
    Ok(())
}
