use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nearshelf::Encoder;

use super::median;
use crate::setup;
use crate::shell::{output, root};

const TOKENS: [usize; 6] = [8, 16, 32, 64, 128, 256];
const RUNS: usize = 60;

/// Latency of one text on one thread, against ONNX Runtime on the same model and token ids.
pub fn run() -> Result<()> {
    let python = setup::python("requirements.txt")?;
    let model = setup::exported(&setup::base_model(&python)?, "int8")?;
    let encoder = Encoder::open(&model)?;
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
    let theirs = output(
        Command::new(&python)
            .arg(script)
            .arg(model.join("model.onnx"))
            .args(TOKENS.map(|t| t.to_string())),
    )?;
    println!("encoding one text, 1 thread, INT8, median of {RUNS}");
    println!(
        "{:>8} {:>14} {:>16} {:>8}",
        "tokens", "nearshelf, ms", "ONNX Runtime, ms", "ratio"
    );
    for ((tokens, ours), theirs) in TOKENS.iter().zip(&ours).zip(theirs.lines()) {
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
