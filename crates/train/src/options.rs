//! Options of a run, the places of its files, and who is told how it goes.

use std::path::{Path, PathBuf};

use candle_core::Device;

use crate::journal::Record;
use crate::recipe::Stage;

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
