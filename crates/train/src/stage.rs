//! One stage of a recipe: its updates, its dev metric, its checkpoints.

use std::fs;
use std::path::Path;
use std::time::Instant;

use candle_core::Tensor;

use crate::checkpoint::{self, LAST, Position};
use crate::draws::{Draws, draws};
use crate::error::{Error, Result};
use crate::evaluate::EvalSet;
use crate::examples::Examples;
use crate::journal::{Journal, Record};
use crate::material::{Material, catalogs};
use crate::mine::hard_negatives;
use crate::optimizer::{AdamW, Update, schedule};
use crate::options::{Observer, Options};
use crate::recipe::{Loss, Metric, Recipe, Rerank, Stage};
use crate::seed::mix;
use crate::step::gradients;
use crate::tower::{Tower, write_whole};

/// A stage as it runs.
pub(crate) struct StageRun<'a> {
    pub recipe: &'a Recipe,
    pub stage: &'a Stage,
    pub options: &'a Options,
    pub tower: &'a Tower,
    pub dir: &'a Path,
    pub optimizer: &'a mut AdamW,
    pub position: &'a mut Position,
    pub journal: &'a mut Journal,
    pub observer: &'a dyn Observer,
}

impl StageRun<'_> {
    fn seed(&self) -> u64 {
        mix(self.recipe.seed, self.position.stage as u64)
    }

    pub fn go(&mut self, material: &Material, before: &Tower) -> Result<()> {
        let stage = self.stage;
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
            let record = self.update(&draws)?;
            self.journal.write(&record)?;
            self.observer.step(&record, stage.steps);
            self.measure(dev.as_ref())?;
            let every = self.options.checkpoint_every;
            if self.position.step.is_multiple_of(every) {
                self.save()?;
            }
        }
        if self.position.best.is_some() {
            checkpoint::load(&self.dir.join(self.best_name()), self.tower.bert(), None)?;
        }
        Ok(())
    }

    /// One update of the weights.
    fn update(&mut self, draws: &Draws<'_>) -> Result<Record> {
        let (stage, step) = (self.stage, self.position.step);
        let started = Instant::now();
        let mut record = Record {
            stage: stage.name.clone(),
            step: step + 1,
            ..Record::default()
        };
        let sums = self.gradients(draws, &mut record)?;
        let warmup = (stage.steps as f64 * stage.warmup).ceil() as usize;
        let rate = stage.learning_rate * schedule(step, stage.steps, warmup);
        let update = Update {
            learning_rate: rate,
            weight_decay: stage.weight_decay,
            clip: stage.clip,
        };
        let parameters = self.tower.bert().parameters();
        let norm = self.optimizer.update(&parameters, &sums, update)?;
        if !norm.is_finite() {
            return Err(self.not_finite(norm));
        }
        self.position.step += 1;
        self.position.updates = self.optimizer.step;
        record.learning_rate = Some(rate);
        record.gradient = Some(norm);
        record.seconds = Some(started.elapsed().as_secs_f64());
        Ok(record)
    }

    /// The mean gradients of the batches that make an update.
    fn gradients(&self, draws: &Draws<'_>, record: &mut Record) -> Result<Vec<Tensor>> {
        let (stage, seed) = (self.stage, self.seed());
        let share = stage.accumulate as f64;
        let first = self.position.step * stage.accumulate;
        let mut sums = Vec::new();
        for number in first..first + stage.accumulate {
            let batch = draws.batch(stage, number, seed)?;
            let (loss, found) = gradients(self.tower, &batch, &stage.loss, stage.chunk)?;
            if !loss.is_finite() {
                return Err(self.not_finite(loss));
            }
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
        Ok(sums)
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
