//! The result of a run: measurements and models.

use std::collections::BTreeMap;

use nearshelf_eval::Comparison;
use serde::Serialize;

/// The result of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Trained {
    /// The recipe's title.
    pub title: String,
    /// Its description.
    pub about: String,
    /// The measurements.
    pub evals: Vec<EvalReport>,
    /// The files that were made.
    pub models: Vec<ModelReport>,
    /// The report of the data.
    pub data: serde_json::Value,
    /// The report of training.
    pub speed: Vec<StageSpeed>,
}

/// One eval.
#[derive(Debug, Clone, Serialize)]
pub struct EvalReport {
    /// Its name.
    pub name: String,
    /// The metric that counts.
    pub metric: &'static str,
    /// Queries that count.
    pub queries: usize,
    /// Items that are searched.
    pub items: usize,
    /// The systems, in the order in which they were made.
    pub systems: Vec<SystemReport>,
    /// The queries that the INT8 model loses most at, against the base.
    pub worst: Vec<Worst>,
}

/// A system on one eval.
#[derive(Debug, Clone, Serialize)]
pub struct SystemReport {
    /// Its name.
    pub name: String,
    /// The mean of the metric that counts.
    pub value: f64,
    /// All metrics.
    pub metrics: nearshelf_eval::Metrics,
    /// Against the base model, and against what was made before it.
    pub against: BTreeMap<String, Comparison>,
    /// Means over head, torso and tail, where queries are not asked equally often.
    pub strata: BTreeMap<&'static str, (usize, f64)>,
    /// Means over verticals, where there are some.
    pub verticals: BTreeMap<String, (usize, f64)>,
}

/// A query that got worse.
#[derive(Debug, Clone, Serialize)]
pub struct Worst {
    /// The query's text.
    pub query: String,
    /// The base model's metric, and the trained one's.
    pub values: (f64, f64),
    /// The trained model's first items.
    pub found: Vec<String>,
}

/// A model that was made.
#[derive(Debug, Clone, Serialize)]
pub struct ModelReport {
    /// Its description.
    pub name: String,
    /// Size of the f32 weights and of the INT8 file, in bytes.
    pub bytes: (u64, u64),
    /// Size of the tokenizer's file.
    pub tokenizer_bytes: u64,
    /// The share of f32's metric that INT8 keeps, by eval.
    pub keeps: BTreeMap<String, f64>,
}

/// The speed of a stage.
#[derive(Debug, Clone, Serialize)]
pub struct StageSpeed {
    /// Its name.
    pub stage: String,
    /// Updates.
    pub steps: usize,
    /// Seconds of them all.
    pub seconds: f64,
    /// Queries with their items, a second.
    pub queries_per_second: f64,
}
