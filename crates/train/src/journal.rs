//! `metrics.jsonl`: what a run measured, a record a line.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::checkpoint::Position;
use crate::error::{Error, Result};
use crate::recipe::Recipe;
use crate::tower::write_whole;

/// A line of `metrics.jsonl`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The stage.
    pub stage: String,
    /// Updates made in it.
    pub step: usize,
    /// The mean loss of the update's batches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// The learning rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// The gradient's length before it was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gradient: Option<f64>,
    /// Tokens that were trained on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<usize>,
    /// Queries that were trained on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queries: Option<usize>,
    /// Seconds that it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// The dev metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dev: Option<f64>,
}

/// The file while a run writes it. A run that goes on takes back what came after its checkpoint.
pub(crate) struct Journal {
    path: PathBuf,
    file: fs::File,
}

impl Journal {
    pub fn open(path: &Path, recipe: &Recipe, position: &Position) -> Result<Self> {
        let error = |e| Error::io(path, e);
        let old = match fs::read_to_string(path) {
            Ok(old) => old,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(error(e)),
        };
        let before = |line: &str| {
            let record: Record = serde_json::from_str(line).ok()?;
            let stage = recipe.stages.iter().position(|s| s.name == record.stage)?;
            ((stage, record.step) <= (position.stage, position.step) || stage < position.stage)
                .then(|| format!("{line}\n"))
        };
        let kept: String = old.lines().filter_map(before).collect();
        write_whole(path, kept.as_bytes())?;
        let file = fs::OpenOptions::new()
            .append(true)
            .open(path)
            .map_err(error)?;
        Ok(Journal {
            path: path.to_owned(),
            file,
        })
    }

    pub fn write(&mut self, record: &Record) -> Result<()> {
        let mut line = serde_json::to_vec(record).expect("plain fields");
        line.push(b'\n');
        self.file
            .write_all(&line)
            .map_err(|e| Error::io(&self.path, e))
    }
}

/// The records of a `metrics.jsonl`.
pub(crate) fn records(path: &Path) -> Result<Vec<Record>> {
    let text = fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
    Ok(parse(&text))
}

fn parse(text: &str) -> Vec<Record> {
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// Adds records that are not there yet.
pub(crate) fn append(path: &Path, new: &[Record]) -> Result<()> {
    let mut text = fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
    let known = parse(&text);
    let fresh = |record: &&Record| {
        !known
            .iter()
            .any(|k| (&k.stage, k.step) == (&record.stage, record.step))
    };
    for record in new.iter().filter(fresh) {
        text += &serde_json::to_string(record).expect("plain fields");
        text.push('\n');
    }
    write_whole(path, text.as_bytes())
}
