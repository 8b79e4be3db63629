//! Training against sentence-transformers: the same base, batches, lengths and threads, in turns.

use std::fs;
use std::path::{Path, PathBuf};
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
    let race = Race::prepare(recipe)?;
    let mut short = race.recipe.clone();
    short.stages[0].steps = steps;
    println!(
        "{}: {steps} steps of {} pairs, {} threads, pairs a second",
        short.title, short.stages[0].batch, race.threads
    );
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let (ours, theirs) = (race.ours(&short)?, race.theirs(&short, None)?);
        ensure!(ours.len() == theirs.len(), "both make {steps} steps");
        let (ours, theirs) = (race.rate(&ours), race.rate(&theirs));
        println!(
            "nearshelf {ours:.1}, sentence-transformers {theirs:.1}: {:.2}",
            ours / theirs
        );
        ratios.push(ours / theirs);
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "the middle of {ROUNDS}: {:.2} times sentence-transformers",
        ratios[ROUNDS / 2]
    );
    if let Some(save) = save {
        race.theirs(&race.recipe, Some(save))?;
        println!(
            "{}: sentence-transformers after {} steps",
            save.display(),
            race.recipe.stages[0].steps
        );
    }
    Ok(())
}

/// Both trainers on the same base and data.
struct Race {
    base: PathBuf,
    data: PathBuf,
    python: PathBuf,
    folder: PathBuf,
    threads: usize,
    /// A contrastive stage alone.
    recipe: Recipe,
}

impl Race {
    fn prepare(recipe: &Path) -> Result<Self> {
        let data =
            shared_data().context("training is measured on shared/data, which is not there")?;
        let base = setup::base_model(&setup::python()?)?;
        let python = setup::training_python()?;
        let mut recipe = Recipe::read(recipe)?;
        recipe
            .stages
            .retain(|stage| matches!(stage.loss, Loss::Mnrl { .. }));
        recipe.stages.truncate(1);
        ensure!(
            !recipe.stages.is_empty(),
            "expected a recipe with a stage of the kind mnrl"
        );
        recipe.evals.clear();
        recipe.query_tower = None;
        let folder = cache().join("bench/train");
        fs::create_dir_all(&folder)?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            base,
            data,
            python,
            folder,
            threads,
            recipe,
        })
    }

    fn options(&self, out: PathBuf) -> Options {
        Options {
            base: self.base.clone(),
            data: self.data.clone(),
            out,
            resume: false,
            checkpoint_every: usize::MAX,
            device: Device::Cpu,
        }
    }

    /// Seconds of each of our steps.
    fn ours(&self, recipe: &Recipe) -> Result<Vec<f64>> {
        let out = self.folder.join("ours");
        let _ = fs::remove_dir_all(&out);
        let times = Times::default();
        nearshelf_train::run(recipe, &self.options(out), &[], &times)?;
        Ok(times.0.into_inner())
    }

    /// Seconds of each of their steps, on our batches.
    fn theirs(&self, recipe: &Recipe, save: Option<&Path>) -> Result<Vec<f64>> {
        let stage = &recipe.stages[0];
        let pairs =
            nearshelf_train::contrastive_batches(recipe, &self.options(self.folder.clone()))?;
        let lines: Vec<String> = pairs
            .iter()
            .take(stage.steps)
            .map(serde_json::to_string)
            .collect::<Result<_, _>>()?;
        let batches = self.folder.join("batches.jsonl");
        let out = self.folder.join("theirs.json");
        fs::write(&batches, lines.join("\n"))?;
        let mut command = Command::new(&self.python);
        command.arg(root().join("crates/bench/python/st_train.py"));
        command.args([&self.base, &batches, &out]);
        command.arg(self.threads.to_string());
        command.arg(stage.learning_rate.to_string());
        command.arg(recipe.max_tokens.query.to_string());
        command.arg(recipe.max_tokens.item.to_string());
        output(command.args(save))?;
        let report: Value = serde_json::from_slice(&fs::read(&out)?)?;
        let seconds = report["seconds"].as_array().context("seconds")?;
        Ok(seconds.iter().filter_map(Value::as_f64).collect())
    }

    /// Pairs a second, after the warm-up.
    fn rate(&self, seconds: &[f64]) -> f64 {
        let counted = &seconds[WARMUP.min(seconds.len() - 1)..];
        let pairs = self.recipe.stages[0].batch * counted.len();
        pairs as f64 / counted.iter().sum::<f64>()
    }
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
