//! Recipes: what a model is trained on, how, and what it is measured on. A TOML file each.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use nearshelf_datasets::{ItemTable, Source, Split};
use nearshelf_encoder::Head;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::losses::FalseNegatives;

/// A recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Its name in reports.
    pub title: String,
    /// Its purpose and its source.
    pub about: String,
    /// Seed of all that is drawn.
    #[serde(default)]
    pub seed: u64,
    /// Tokens that queries and items are cut to in training. An eval reads what the exported encoder reads.
    pub max_tokens: MaxTokens,
    /// Pooling heads; the mean when there are none.
    #[serde(default)]
    pub heads: Vec<Head>,
    /// Judged rows to train on, by name.
    #[serde(default)]
    pub data: BTreeMap<String, Data>,
    /// Items without judgements to train on, by name.
    #[serde(default)]
    pub catalogs: BTreeMap<String, Catalog>,
    /// Stages of training, one after the other; without any, the base is kept and only made smaller.
    #[serde(default, rename = "stage")]
    pub stages: Vec<Stage>,
    /// Evals at the end.
    #[serde(default, rename = "eval")]
    pub evals: Vec<Eval>,
    /// The share of an f32 model's metric that INT8 has to keep on every eval.
    #[serde(default = "default_int8_keeps")]
    pub int8_keeps: f64,
    /// A smaller query encoder, distilled from the trained one.
    #[serde(default)]
    pub query_tower: Option<QueryTower>,
}

fn default_int8_keeps() -> f64 {
    0.99
}

/// Lengths that texts are cut to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxTokens {
    /// Of queries.
    pub query: usize,
    /// Of items.
    pub item: usize,
}

/// Judged rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Data {
    /// Where they come from.
    #[serde(flatten)]
    pub source: Source,
    /// Grades from which the levels begin, rising: below the first is level 0. Without them every grade
    /// is a level.
    #[serde(default)]
    pub levels: Vec<f32>,
    /// The grade from which an item is a positive.
    #[serde(default = "one")]
    pub positive: f32,
    /// Rows of one item, at most.
    #[serde(default)]
    pub cap_per_item: Option<usize>,
    /// The part that is held out for the dev metric.
    #[serde(default)]
    pub split: Option<Split>,
}

fn one() -> f32 {
    1.0
}

/// Items whose texts stand for themselves: queries are drawn from them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// The items.
    #[serde(flatten)]
    pub items: ItemTable,
    /// Items, at most; spread evenly over the file.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// A stage of training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Its material: names of `data` or, for `hybrid`, of `catalogs`. A batch is of one of them,
    /// drawn by their sizes.
    pub data: Vec<String>,
    /// The loss.
    pub loss: Loss,
    /// Updates.
    pub steps: usize,
    /// Queries of a batch.
    pub batch: usize,
    /// Items that a query brings into a batch, at most.
    #[serde(default = "one_item")]
    pub items: usize,
    /// Batches whose gradients are added for an update.
    #[serde(default = "one_item")]
    pub accumulate: usize,
    /// Texts that run through the network at a time; gradients are cached (Gao et al. 2021), so that
    /// memory depends on this and not on the batch. All at once when left out.
    #[serde(default)]
    pub chunk: Option<usize>,
    /// The highest learning rate.
    pub learning_rate: f64,
    /// The share of steps over which it rises; it falls over the rest.
    #[serde(default = "default_warmup")]
    pub warmup: f64,
    /// Weight decay of AdamW.
    #[serde(default = "default_decay")]
    pub weight_decay: f64,
    /// The length that gradients are cut to.
    #[serde(default = "default_clip")]
    pub clip: f64,
    /// Batches among which texts of like length are put together; 1 leaves them as they are drawn. On a
    /// CPU texts are packed and nothing is gained.
    #[serde(default = "one_item")]
    pub bucket: usize,
    /// Hard negatives, mined before the stage begins.
    #[serde(default)]
    pub hard_negatives: Option<HardNegatives>,
    /// Steps between measurements of the dev metric; none when left out.
    #[serde(default)]
    pub measure_every: Option<usize>,
    /// Measurements without a better one before the stage ends early. The best weights are kept.
    #[serde(default)]
    pub patience: Option<usize>,
}

fn one_item() -> usize {
    1
}

fn default_warmup() -> f64 {
    0.1
}

fn default_decay() -> f64 {
    0.01
}

fn default_clip() -> f64 {
    1.0
}

/// A loss; see [`crate::losses`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Loss {
    /// [`crate::losses::mnrl`].
    Mnrl {
        /// s
        #[serde(default = "default_scale")]
        scale: f64,
        /// Which negatives are left out.
        #[serde(default)]
        false_negatives: Option<FalseNegatives>,
    },
    /// [`crate::losses::roar`] and a share of [`crate::losses::mnrl`].
    Roar {
        /// s of the contrastive term
        #[serde(default = "default_scale")]
        scale: f64,
        /// s of the odds: smaller where people's grades are noisy, or the loss only makes the model unsure.
        #[serde(default = "default_scale")]
        odds_scale: f64,
        /// Margin between log odds.
        #[serde(default)]
        margin: f64,
        /// The weight of the contrastive term.
        contrastive: f64,
        /// Which negatives are left out.
        #[serde(default)]
        false_negatives: Option<FalseNegatives>,
    },
    /// [`crate::losses::mmse_global`] and a share of [`crate::losses::mmse_local`].
    Mmse {
        /// s
        #[serde(default = "default_scale")]
        scale: f64,
        /// s of the local grain.
        #[serde(default = "default_scale")]
        local_scale: f64,
        /// The weight of the local grain.
        local: f64,
        /// Stages, the best first, whose items are positives of the global grain.
        #[serde(default = "one_item")]
        positive: usize,
    },
    /// [`crate::losses::listwise_distillation`] from BM25 and the cosines of the model as the stage began, for
    /// queries drawn from the items' texts.
    Hybrid {
        /// s
        #[serde(default = "default_scale")]
        scale: f64,
        /// s of the teacher.
        #[serde(default = "default_scale")]
        teacher_scale: f64,
        /// Weight of BM25 beside the cosine, each over its best.
        lexical: f64,
        /// Words of a query, at most.
        #[serde(default = "default_words")]
        words: usize,
        /// The share of queries that are of words alone which several items have: those say what an item
        /// is, rarer ones which it is.
        #[serde(default)]
        shared: f64,
    },
}

fn default_scale() -> f64 {
    20.0
}

pub(crate) fn default_words() -> usize {
    4
}

/// Hard negatives: what the model itself ranks high and nobody judged good.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HardNegatives {
    /// For each query.
    pub count: usize,
    /// They are drawn from the first `depth` hits.
    pub depth: usize,
    /// Hits within this of the positive's cosine are taken for positives that nobody judged.
    #[serde(default)]
    pub margin: f32,
}

/// An eval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Eval {
    /// Its name in reports.
    pub name: String,
    /// The judgements.
    #[serde(flatten)]
    pub source: Source,
    /// Items to search besides the judged ones.
    #[serde(default)]
    pub corpus: Vec<ItemTable>,
    /// Ranks only the judged items of a query, instead of searching the corpus.
    #[serde(default)]
    pub rerank: Option<Rerank>,
    /// Taken from every grade, so that the lowest is 0.
    #[serde(default)]
    pub grade_from: f32,
    /// The grade, after that, from which an item is relevant.
    #[serde(default = "one")]
    pub relevant: f32,
    /// The metric that counts.
    pub metric: Metric,
}

/// Which queries are reranked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rerank {
    /// Judged items, at least.
    pub items: usize,
    /// Different grades, at least.
    pub grades: usize,
}

/// Metrics at depth 10; see [`nearshelf_eval::Scores`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Metric {
    /// With gains 2^grade − 1.
    #[serde(rename = "ndcg@10")]
    Ndcg,
    /// Over min(10, relevant items).
    #[serde(rename = "recall@10")]
    Recall,
}

impl Metric {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Ndcg => "nDCG@10",
            Metric::Recall => "recall@10",
        }
    }

    /// Its value among a query's scores.
    pub fn of(self, scores: &nearshelf_eval::Scores) -> f64 {
        match self {
            Metric::Ndcg => scores.ndcg_exponential,
            Metric::Recall => scores.recall_capped,
        }
    }
}

/// A query encoder of fewer layers and a smaller vocabulary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryTower {
    /// Layers, taken evenly from the item tower's.
    pub layers: usize,
    /// Tokens of the vocabulary: ASCII's characters, then the most frequent in the texts.
    pub vocabulary: usize,
    /// Updates.
    #[serde(default = "default_distill_steps")]
    pub steps: usize,
    /// Texts of a batch.
    #[serde(default = "default_distill_batch")]
    pub batch: usize,
    /// The highest learning rate.
    #[serde(default = "default_distill_rate")]
    pub learning_rate: f64,
}

fn default_distill_steps() -> usize {
    3000
}

fn default_distill_batch() -> usize {
    256
}

fn default_distill_rate() -> f64 {
    3e-4
}

impl QueryTower {
    /// One of this size, trained as usual.
    pub fn new(layers: usize, vocabulary: usize) -> Self {
        QueryTower {
            layers,
            vocabulary,
            steps: default_distill_steps(),
            batch: default_distill_batch(),
            learning_rate: default_distill_rate(),
        }
    }
}

impl Recipe {
    /// Reads and checks a recipe.
    ///
    /// # Errors
    /// A file that is missing, is no TOML, has a field that is unknown, missing or out of range, or names
    /// data that it does not have.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        Self::parse(&text, path)
    }

    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self> {
        let error = |place: String, expected: String, found: String| Error::Recipe {
            path: path.to_owned(),
            place,
            expected,
            found,
        };
        let recipe: Recipe = toml::from_str(text).map_err(|e| {
            let line = e
                .span()
                .map_or(0, |span| text[..span.start].lines().count());
            error(
                format!(", line {line}"),
                "a recipe".into(),
                e.message().to_owned(),
            )
        })?;
        recipe.check(path)?;
        Ok(recipe)
    }

    /// Whether the recipe can be run, as far as it shows by itself.
    fn check(&self, path: &Path) -> Result<()> {
        let at = |fault: Fault| Error::Recipe {
            path: path.to_owned(),
            place: fault.place,
            expected: fault.expected,
            found: fault.found,
        };
        if self.stages.is_empty() && self.query_tower.is_none() {
            return Err(at(Fault::new("", "a stage or a query tower", "neither")));
        }
        let mut names = HashSet::new();
        for stage in &self.stages {
            let place = |fault: Fault| Fault {
                place: format!(", stage {:?}, {}", stage.name, fault.place),
                ..fault
            };
            if !names.insert(&stage.name) {
                let fault = Fault::new("name", "a name of its own", &stage.name);
                return Err(at(place(fault)));
            }
            let checked = self.check_names(stage).and_then(|()| stage.check());
            checked.map_err(|fault| at(place(fault)))?;
        }
        for (name, data) in &self.data {
            let place = |fault: Fault| Fault {
                place: format!(", data {name:?}, {}", fault.place),
                ..fault
            };
            data.check().map_err(|fault| at(place(fault)))?;
        }
        Ok(())
    }

    /// Whether the data of a stage are in the recipe.
    fn check_names(&self, stage: &Stage) -> Result<(), Fault> {
        let hybrid = matches!(stage.loss, Loss::Hybrid { .. });
        let known = |name: &String| match hybrid {
            true => self.catalogs.contains_key(name),
            false => self.data.contains_key(name),
        };
        let table = if hybrid { "[catalogs]" } else { "[data]" };
        match stage.data.iter().find(|name| !known(name)) {
            Some(unknown) => Err(Fault::new("data", format!("names of {table}"), unknown)),
            None => Ok(()),
        }
    }

    /// The files that the recipe names, relative to the data's folder.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = Vec::new();
        let sources = self.data.values().map(|d| &d.source);
        for source in sources.chain(self.evals.iter().map(|e| &e.source)) {
            files.extend(source.files().into_iter().map(Path::to_owned));
        }
        files.extend(self.catalogs.values().map(|c| c.items.path.clone()));
        let corpora = self.evals.iter().flat_map(|e| &e.corpus);
        files.extend(corpora.map(|items| items.path.clone()));
        files.sort();
        files.dedup();
        files
    }
}

/// A value that cannot be, by its field.
struct Fault {
    place: String,
    expected: String,
    found: String,
}

impl Fault {
    fn new(place: &str, expected: impl Into<String>, found: impl ToString) -> Self {
        Fault {
            place: place.to_owned(),
            expected: expected.into(),
            found: found.to_string(),
        }
    }
}

impl Data {
    fn check(&self) -> Result<(), Fault> {
        if self.levels.windows(2).any(|pair| pair[0] >= pair[1]) {
            let found = format!("{:?}", self.levels);
            return Err(Fault::new("levels", "rising grades", found));
        }
        match self.split {
            Some(split) if !(0.0..1.0).contains(&split.dev) => {
                Err(Fault::new("split.dev", "a share below 1", split.dev))
            }
            _ => Ok(()),
        }
    }
}

impl Stage {
    fn check(&self) -> Result<(), Fault> {
        for (field, value) in [
            ("data", self.data.len()),
            ("steps", self.steps),
            ("items", self.items),
            ("accumulate", self.accumulate),
            ("bucket", self.bucket),
            ("chunk", self.chunk.unwrap_or(1)),
            ("measure_every", self.measure_every.unwrap_or(1)),
        ] {
            if value == 0 {
                return Err(Fault::new(field, "1 or more", 0));
            }
        }
        if let Loss::Hybrid { words, shared, .. } = self.loss {
            if words == 0 {
                return Err(Fault::new("loss.words", "1 or more", 0));
            }
            if !(0.0..=1.0).contains(&shared) {
                return Err(Fault::new("loss.shared", "a share of 0 to 1", shared));
            }
        }
        if self.batch < 2 {
            return Err(Fault::new("batch", "2 or more", self.batch));
        }
        let rate = self.learning_rate;
        if !(rate > 0.0 && rate < 1.0) {
            return Err(Fault::new(
                "learning_rate",
                "a number between 0 and 1",
                rate,
            ));
        }
        if !(0.0..=1.0).contains(&self.warmup) {
            return Err(Fault::new("warmup", "a share of 0 to 1", self.warmup));
        }
        if self.patience.is_some() && self.measure_every.is_none() {
            return Err(Fault::new("patience", "measure_every as well", "none"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recipes_that_come_along_are_whole() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../training/recipes");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let recipe = Recipe::read(&entry.unwrap().path()).unwrap();
            assert!(!recipe.evals.is_empty() && !recipe.files().is_empty());
            count += 1;
        }
        assert_eq!(count, 7);
    }
}
