//! Runs a recipe: its stages one after the other, with checkpoints from which a run goes on exactly.

use std::fs;
use std::path::{Path, PathBuf};

use crate::checkpoint::{self, LAST, Position};
use crate::error::{Error, Result};
use crate::journal::Journal;
use crate::material::Material;
use crate::optimizer::AdamW;
use crate::options::{Observer, Options, stage_dir, training_dir};
use crate::provenance;
use crate::recipe::Recipe;
use crate::stage::StageRun;
use crate::tower::Tower;

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
    let run = provenance::identity(recipe, &options.base)?;
    let found = earlier(&dir, &run, options.resume)?;
    observer.say("reading training data");
    let material = Material::read(recipe, &options.data, tower)?;
    let about = provenance::write(&dir.join("data.json"), &run, recipe, &material)?;

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
        let before = stage_before(recipe, options, position.stage)?;
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

/// The checkpoint of an earlier run, where there is one and this is to go on from it.
fn earlier(dir: &Path, run: &str, resume: bool) -> Result<Option<(PathBuf, Position)>> {
    let found = checkpoint::find(dir, LAST)?;
    match &found {
        Some((path, position)) if position.run != run => Err(Error::Checkpoint {
            path: path.clone(),
            expected: format!("one of this recipe and base model ({run})"),
            found: format!("one of others ({})", position.run),
        }),
        Some((path, _)) if !resume => Err(Error::Checkpoint {
            path: path.clone(),
            expected: "none, or to be told to resume".into(),
            found: "that of an earlier run".into(),
        }),
        _ => Ok(found),
    }
}

/// The model that the stage `number` begins with; none for the first. Read again, not kept: a run that goes on has to
/// have the same.
fn stage_before(recipe: &Recipe, options: &Options, number: usize) -> Result<Option<Tower>> {
    let Some(number) = number.checked_sub(1) else {
        return Ok(None);
    };
    let before = stage_dir(&options.out, &recipe.stages[number]);
    Tower::open(&before, &recipe.heads, &options.device).map(Some)
}
