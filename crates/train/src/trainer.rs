//! Runs a recipe: its stages one after the other, with checkpoints from which a run goes on exactly.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use candle_core::Device;
use nearshelf_datasets::Split;
use serde::Serialize;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::checkpoint::{self, Position};
use crate::draws::{draws, mix};
use crate::error::{Error, Result};
use crate::evaluate::EvalSet;
use crate::examples::{Examples, Summary};
use crate::journal::{Journal, Record};
use crate::material::{Material, catalogs};
use crate::mine::hard_negatives;
use crate::optimizer::{AdamW, Update, schedule};
use crate::recipe::{Loss, Metric, Recipe, Rerank, Stage};
use crate::step::gradients;
use crate::tower::{Tower, write_whole};

/// Where a run finds and leaves things.
#[derive(Debug, Clone)]
pub struct Options {
    /// The sentence encoder that training starts from.
    pub base: PathBuf,
    /// Where the recipe's relative paths start.
    pub data: PathBuf,
    /// The model directory to make.
    pub out: PathBuf,
    /// Goes on where an earlier run of the same recipe stopped.
    pub resume: bool,
    /// Updates between checkpoints.
    pub checkpoint_every: usize,
    /// Where to train.
    pub device: Device,
}

/// Who is told how a run goes.
pub trait Observer {
    /// A line about what happens next.
    fn say(&self, line: &str);
    /// An update of `steps` in its stage.
    fn step(&self, record: &Record, steps: usize);
}

/// Where a run keeps what is not the model.
pub(crate) fn training_dir(out: &Path) -> PathBuf {
    out.join("training")
}

/// The encoder that a stage made.
pub(crate) fn stage_dir(out: &Path, stage: &Stage) -> PathBuf {
    training_dir(out).join(format!("stage-{}", stage.name))
}

const LAST: &str = "last";

/// Trains a tower by a recipe, and gives what it was trained on and how that was read. Each stage's result lies in
/// `OUT/training/stage-NAME` afterwards.
pub(crate) fn train(
    recipe: &Recipe,
    options: &Options,
    tower: &Tower,
    base: &Tower,
    observer: &dyn Observer,
) -> Result<(Material, serde_json::Value)> {
    let dir = training_dir(&options.out);
    fs::create_dir_all(&dir).map_err(|e| Error::io(&dir, e))?;
    let run = identity(recipe, &options.base)?;
    let found = checkpoint::find(&dir, LAST)?;
    match &found {
        Some((path, position)) if position.run != run => {
            return Err(Error::Checkpoint {
                path: path.clone(),
                expected: format!("one of this recipe and base model ({run})"),
                found: format!("one of others ({})", position.run),
            });
        }
        Some((path, _)) if !options.resume => {
            return Err(Error::Checkpoint {
                path: path.clone(),
                expected: "none, or to be told to resume".into(),
                found: "that of an earlier run".into(),
            });
        }
        _ => {}
    }
    observer.say("reading training data");
    let material = Material::read(recipe, &options.data, tower)?;
    let about = Provenance {
        run: &run,
        recipe,
        hash: "xxh3-64 of the lower-cased text, with the seed, as a share of 2^64",
        splits: recipe
            .data
            .iter()
            .filter_map(|(n, d)| Some((n.as_str(), d.split?)))
            .collect(),
        data: material.summaries(),
    };
    let about = serde_json::to_value(&about).expect("plain fields");
    let json = serde_json::to_vec_pretty(&about).expect("a value");
    write_whole(&dir.join("data.json"), &json)?;

    let mut optimizer = AdamW::new(&tower.bert().parameters());
    let mut position = Position::start(run, 0);
    if let Some((path, from)) = found {
        checkpoint::load(&path, tower.bert(), Some(&mut optimizer))?;
        optimizer.step = from.updates;
        position = from;
        observer.say(&format!(
            "going on at stage {}, step {}",
            position.stage + 1,
            position.step
        ));
    }
    let mut metrics = Journal::open(&dir.join("metrics.jsonl"), recipe, &position)?;
    while let Some(stage) = recipe.stages.get(position.stage) {
        // Read again, not kept: a run that goes on has to have the same.
        let before = match position.stage.checked_sub(1) {
            Some(number) => {
                let before = stage_dir(&options.out, &recipe.stages[number]);
                Some(Tower::open(&before, &recipe.heads, &options.device)?)
            }
            None => None,
        };
        let mut run = StageRun {
            recipe,
            stage,
            options,
            tower,
            dir: &dir,
            optimizer: &mut optimizer,
            position: &mut position,
            journal: &mut metrics,
            observer,
        };
        run.go(&material, before.as_ref().unwrap_or(base))?;
        tower.save(&stage_dir(&options.out, stage))?;
        position = Position::start(position.run, position.stage + 1);
        optimizer = AdamW::new(&tower.bert().parameters());
        checkpoint::save(&dir, LAST, &position, tower.bert(), &optimizer)?;
    }
    Ok((material, about))
}

/// The account of a model's data, written beside it.
#[derive(Serialize)]
struct Provenance<'a> {
    run: &'a str,
    recipe: &'a Recipe,
    hash: &'static str,
    splits: BTreeMap<&'a str, Split>,
    data: BTreeMap<&'a str, &'a Summary>,
}

/// A name for what decides the weights: the model that a run starts from, and of its recipe all but what is
/// done with the weights afterwards.
fn identity(recipe: &Recipe, base: &Path) -> Result<String> {
    let path = base.join("model.safetensors");
    let weights = fs::read(&path).map_err(|e| Error::io(&path, e))?;
    let names: Vec<&String> = recipe.stages.iter().flat_map(|stage| &stage.data).collect();
    let used = |name: &&String| names.contains(name);
    let decisive = serde_json::json!([
        recipe.seed,
        recipe.max_tokens,
        recipe.heads,
        recipe
            .data
            .iter()
            .filter(|(name, _)| used(name))
            .collect::<Vec<_>>(),
        recipe
            .catalogs
            .iter()
            .filter(|(name, _)| used(name))
            .collect::<Vec<_>>(),
        recipe.stages,
    ]);
    let decisive = xxh3_64(decisive.to_string().as_bytes());
    Ok(format!("{decisive:016x}-{:032x}", xxh3_128(&weights)))
}

struct StageRun<'a> {
    recipe: &'a Recipe,
    stage: &'a Stage,
    options: &'a Options,
    tower: &'a Tower,
    dir: &'a Path,
    optimizer: &'a mut AdamW,
    position: &'a mut Position,
    journal: &'a mut Journal,
    observer: &'a dyn Observer,
}

impl StageRun<'_> {
    fn seed(&self) -> u64 {
        mix(self.recipe.seed, self.position.stage as u64)
    }

    fn go(&mut self, material: &Material, before: &Tower) -> Result<()> {
        let (stage, seed) = (self.stage, self.seed());
        let catalogs = catalogs(self.recipe, stage, &self.options.data)?;
        self.observer.say(&format!("stage {}", stage.name));
        if self.position.step == 0 {
            self.save()?;
        }
        if let Loss::Hybrid { .. } = stage.loss {
            self.observer.say("encoding the catalogs");
        }
        let negatives = self.negatives(&material.of(stage))?;
        let draws = draws(stage, self.recipe, material, &catalogs, before, negatives)?;
        let dev = self.dev(material);
        if self.position.step == 0 {
            // What the stage begins with is the first to beat.
            self.measure(dev.as_ref())?;
        }
        while self.position.step < stage.steps {
            if let Some(patience) = stage.patience
                && self.position.since_best >= patience
            {
                self.observer.say("no better dev metric: ending the stage");
                break;
            }
            let started = Instant::now();
            let first = self.position.step * stage.accumulate;
            let mut sums = Vec::new();
            let mut record = Record {
                stage: stage.name.clone(),
                step: self.position.step + 1,
                ..Record::default()
            };
            for number in first..first + stage.accumulate {
                let batch = draws.batch(stage, number, seed)?;
                let (loss, found) = gradients(self.tower, &batch, &stage.loss, stage.chunk)?;
                if !loss.is_finite() {
                    return Err(self.not_finite(loss));
                }
                let share = stage.accumulate as f64;
                *record.loss.get_or_insert(0.0) += loss / share;
                *record.tokens.get_or_insert(0) += batch.texts.iter().map(Vec::len).sum::<usize>();
                *record.queries.get_or_insert(0) += batch.queries.len();
                sums = match (stage.accumulate, sums.is_empty()) {
                    (1, _) => found,
                    (_, true) => found.iter().map(|g| g / share).collect::<Result<_, _>>()?,
                    (_, false) => {
                        let pairs = sums.iter().zip(&found);
                        pairs
                            .map(|(sum, g)| sum + (g / share)?)
                            .collect::<Result<_, _>>()?
                    }
                };
            }
            let warmup = (stage.steps as f64 * stage.warmup).ceil() as usize;
            let rate = stage.learning_rate * schedule(self.position.step, stage.steps, warmup);
            let update = Update {
                learning_rate: rate,
                weight_decay: stage.weight_decay,
                clip: stage.clip,
            };
            let norm = self
                .optimizer
                .update(&self.tower.bert().parameters(), &sums, update)?;
            if !norm.is_finite() {
                return Err(self.not_finite(norm));
            }
            self.position.step += 1;
            self.position.updates = self.optimizer.step;
            record.learning_rate = Some(rate);
            record.gradient = Some(norm);
            record.seconds = Some(started.elapsed().as_secs_f64());
            self.journal.write(&record)?;
            self.observer.step(&record, stage.steps);
            self.measure(dev.as_ref())?;
            if self
                .position
                .step
                .is_multiple_of(self.options.checkpoint_every)
            {
                self.save()?;
            }
        }
        if self.position.best.is_some() {
            checkpoint::load(&self.dir.join(self.best_name()), self.tower.bert(), None)?;
        }
        Ok(())
    }

    fn best_name(&self) -> String {
        format!("best-{}", self.stage.name)
    }

    fn save(&self) -> Result<()> {
        checkpoint::save(
            self.dir,
            LAST,
            self.position,
            self.tower.bert(),
            self.optimizer,
        )
    }

    fn not_finite(&self, found: f64) -> Error {
        Error::NotFinite {
            stage: self.stage.name.clone(),
            step: self.position.step + 1,
            found,
            kept: self.dir.join(LAST),
        }
    }

    /// Mined with the weights that the stage began with, and kept for a run that goes on.
    fn negatives(&self, examples: &[&Examples]) -> Result<Vec<Option<Vec<Vec<usize>>>>> {
        let Some(rule) = self.stage.hard_negatives else {
            return Ok(vec![]);
        };
        let path = self.dir.join(format!("negatives-{}.json", self.stage.name));
        if self.position.step > 0 {
            let json = fs::read(&path).map_err(|e| Error::io(&path, e))?;
            return serde_json::from_slice(&json).map_err(|e| Error::Checkpoint {
                path,
                expected: "hard negatives".into(),
                found: e.to_string(),
            });
        }
        self.observer.say("mining hard negatives");
        let mined = examples
            .iter()
            .map(|examples| hard_negatives(self.tower, examples, rule, self.seed()).map(Some))
            .collect::<Result<Vec<_>>>()?;
        let json = serde_json::to_vec(&mined).expect("numbers");
        write_whole(&path, &json)?;
        Ok(mined)
    }

    /// The held-out rows of the stage's data as an eval: put in order where there are grades to order,
    /// else found among the held-out items.
    fn dev(&self, material: &Material) -> Option<EvalSet> {
        self.stage.measure_every?;
        let rows: Vec<_> = material
            .of(self.stage)
            .into_iter()
            .flat_map(|examples| examples.dev.iter().cloned())
            .collect();
        let graded = EvalSet::of_rows(
            "dev",
            &rows,
            vec![],
            Metric::Ndcg,
            Some(Rerank {
                items: 2,
                grades: 2,
            }),
        );
        if !graded.queries.is_empty() {
            return Some(graded);
        }
        let found = EvalSet::of_rows("dev", &rows, vec![], Metric::Recall, None);
        (!found.queries.is_empty()).then_some(found)
    }

    fn measure(&mut self, dev: Option<&EvalSet>) -> Result<()> {
        let (Some(dev), Some(every)) = (dev, self.stage.measure_every) else {
            return Ok(());
        };
        let step = self.position.step;
        if !step.is_multiple_of(every) && step != self.stage.steps {
            return Ok(());
        }
        let found = dev.by_tower(self.tower, self.recipe.max_tokens)?.mean();
        self.journal.write(&Record {
            stage: self.stage.name.clone(),
            step,
            dev: Some(found),
            ..Record::default()
        })?;
        self.observer.say(&format!(
            "step {step}: dev {} {found:.4}",
            dev.metric.name()
        ));
        if self.position.best.is_none_or(|(best, _)| found > best) {
            self.position.best = Some((found, step));
            self.position.since_best = 0;
            let name = self.best_name();
            checkpoint::save(
                self.dir,
                &name,
                self.position,
                self.tower.bert(),
                self.optimizer,
            )?;
        } else {
            self.position.since_best += 1;
        }
        Ok(())
    }
}
