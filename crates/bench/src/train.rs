//! Training against sentence-transformers: the same base, batches, lengths and threads, in turns.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use nearshelf_train::{Device, Observer, Options, Recipe, Record, recipe::Loss};
use serde_json::Value;

use xtask::setup;
use xtask::shell::{cache, output, root, shared_data};

/// Ours and theirs take turns so often.
const ROUNDS: usize = 3;
/// Steps of a turn that are not counted: memory is touched and kernels are chosen.
const WARMUP: usize = 3;

/// Trains a recipe's contrastive stage with both; with `save` theirs goes on to all its steps and is
/// written there, to be a baseline of `nearshelf train`.
pub fn run(recipe: &Path, steps: usize, save: Option<&Path>) -> Result<()> {
    let data = shared_data().context("training is measured on shared/data, which is not there")?;
    let base = setup::base_model(&setup::python()?)?;
    let python = setup::training_python()?;
    let mut recipe = Recipe::read(recipe)?;
    let stage = recipe
        .stages
        .iter()
        .position(|s| matches!(s.loss, Loss::Mnrl { .. }));
    let stage = stage.context("a recipe with a stage of the kind mnrl")?;
    recipe.stages = vec![recipe.stages[stage].clone()];
    recipe.evals.clear();
    recipe.query_tower = None;
    let whole = recipe.stages[0].steps;
    let folder = cache().join("bench/train");
    fs::create_dir_all(&folder)?;
    let options = |out: &Path| Options {
        base: base.clone(),
        data: data.clone(),
        out: out.to_owned(),
        resume: false,
        checkpoint_every: usize::MAX,
        device: Device::Cpu,
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let theirs = |steps: usize, recipe: &Recipe, save: Option<&Path>| -> Result<Value> {
        let pairs = nearshelf_train::contrastive_batches(recipe, &options(&folder))?;
        let lines: Vec<String> = pairs
            .iter()
            .take(steps)
            .map(serde_json::to_string)
            .collect::<Result<_, _>>()?;
        let (batches, out) = (folder.join("batches.jsonl"), folder.join("theirs.json"));
        fs::write(&batches, lines.join("\n"))?;
        let mut command = Command::new(&python);
        command.arg(root().join("crates/bench/python/st_train.py"));
        command
            .args([&base, &batches, &out])
            .arg(threads.to_string());
        command.arg(recipe.stages[0].learning_rate.to_string());
        command
            .arg(recipe.max_tokens.query.to_string())
            .arg(recipe.max_tokens.item.to_string());
        command.args(save);
        output(&mut command)?;
        Ok(serde_json::from_slice(&fs::read(&out)?)?)
    };
    let batch = recipe.stages[0].batch as f64;
    let rate = |seconds: &[f64]| -> f64 {
        let counted = &seconds[WARMUP.min(seconds.len() - 1)..];
        batch * counted.len() as f64 / counted.iter().sum::<f64>()
    };
    let mut short = recipe.clone();
    short.stages[0].steps = steps;
    println!(
        "{}: {steps} steps of {batch} pairs, {threads} threads, pairs a second",
        recipe.title
    );
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let out = folder.join("ours");
        let _ = fs::remove_dir_all(&out);
        let times = Times::default();
        nearshelf_train::run(&short, &options(&out), &[], &times)?;
        let ours = times.0.into_inner();
        let other = theirs(steps, &short, None)?;
        let seconds: Vec<f64> = other["seconds"]
            .as_array()
            .context("seconds")?
            .iter()
            .filter_map(Value::as_f64)
            .collect();
        ensure!(ours.len() == seconds.len(), "both make {steps} steps");
        let (ours, other) = (rate(&ours), rate(&seconds));
        println!(
            "nearshelf {ours:.1}, sentence-transformers {other:.1}: {:.2}",
            ours / other
        );
        ratios.push(ours / other);
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "the middle of {ROUNDS}: {:.2} times sentence-transformers",
        ratios[ROUNDS / 2]
    );
    if let Some(save) = save {
        theirs(whole, &recipe, Some(save))?;
        println!(
            "{}: sentence-transformers after {whole} steps",
            save.display()
        );
    }
    Ok(())
}

/// The seconds of every step.
#[derive(Default)]
struct Times(std::cell::RefCell<Vec<f64>>);

impl Observer for Times {
    fn say(&self, _: &str) {}

    fn step(&self, record: &Record, _: usize) {
        self.0.borrow_mut().extend(record.seconds);
    }
}
