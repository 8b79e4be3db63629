//! Time and memory of a run, measured on its first batches.

use std::time::Instant;

use serde::Serialize;

use crate::draws::draws;
use crate::error::Result;
use crate::material::{Material, catalogs};
use crate::optimizer::{AdamW, Update};
use crate::options::Options;
use crate::recipe::Recipe;
use crate::step::gradients;
use crate::tower::Tower;

/// Batches of a stage that are tried.
const TRIED: usize = 3;

/// Time and memory of a stage.
#[derive(Debug, Clone, Serialize)]
pub struct Estimate {
    /// The stage.
    pub stage: String,
    /// Updates.
    pub steps: usize,
    /// Tokens of an update.
    pub tokens: usize,
    /// Seconds of an update.
    pub seconds_per_step: f64,
    /// Seconds of the stage, without measurements.
    pub seconds: f64,
    /// The most memory that the process has had by then, in bytes; none where the system does not say.
    pub memory: Option<u64>,
}

/// Reads the data and runs the first batches of each stage, and writes nothing.
///
/// # Errors
/// Those of a run.
pub fn estimate(recipe: &Recipe, options: &Options) -> Result<Vec<Estimate>> {
    let tower = Tower::open(&options.base, &recipe.heads, &options.device)?;
    let base = Tower::open(&options.base, &[], &options.device)?;
    let material = Material::read(recipe, &options.data, &tower)?;
    let mut optimizer = AdamW::new(&tower.bert().parameters());
    let mut estimates = Vec::new();
    for stage in &recipe.stages {
        let catalogs = catalogs(recipe, stage, &options.data)?;
        // Mining is not part of a step.
        let mut plain = stage.clone();
        plain.hard_negatives = None;
        let draws = draws(&plain, recipe, &material, &catalogs, &base, vec![])?;
        let count = TRIED.min(stage.steps * stage.accumulate);
        let mut tokens = 0;
        let mut seconds = 0.0;
        for number in 0..count {
            let began = Instant::now();
            let batch = draws.batch(&plain, number, recipe.seed)?;
            let (_, found) = gradients(&tower, &batch, &plain.loss, plain.chunk)?;
            // A rate of 0 leaves the weights as they are.
            let update = Update {
                learning_rate: 0.0,
                weight_decay: 0.0,
                clip: 1.0,
            };
            optimizer.update(&tower.bert().parameters(), &found, update)?;
            tokens += batch.texts.iter().map(Vec::len).sum::<usize>();
            // The first batch touches memory that the others find ready.
            if number > 0 || count == 1 {
                seconds += began.elapsed().as_secs_f64();
            }
        }
        let per_batch = seconds / count.saturating_sub(1).max(1) as f64;
        let seconds_per_step = per_batch * stage.accumulate as f64;
        estimates.push(Estimate {
            stage: stage.name.clone(),
            steps: stage.steps,
            tokens: tokens * stage.accumulate / count.max(1),
            seconds_per_step,
            seconds: seconds_per_step * stage.steps as f64,
            memory: peak_memory(),
        });
    }
    Ok(estimates)
}

/// The most memory that this process has had resident.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
