//! The options of `nearshelf train`.

use std::path::PathBuf;

use clap::Args;
use nearshelf_train::Baseline;
use nearshelf_train::recipe::QueryTower;

use super::parse;

/// Arguments of `nearshelf train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// The recipe: see training/recipes.
    #[arg(long, value_name = "FILE.toml")]
    pub recipe: PathBuf,
    /// Directory of the encoder to start from: config.json, model.safetensors, tokenizer.json.
    #[arg(long, value_name = "DIR")]
    pub base: PathBuf,
    /// Directory where the recipe's paths start.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub data: PathBuf,
    /// Model directory to make; checkpoints, metrics and the report go there too.
    #[arg(long, value_name = "MODEL_DIR")]
    pub out: PathBuf,
    /// Go on where an earlier run stopped.
    #[arg(long)]
    pub resume: bool,
    /// Only say what time and memory it would take.
    #[arg(long)]
    pub dry_run: bool,
    /// Distill a smaller query encoder as well, as the recipe's [query_tower] does.
    #[arg(long, value_name = "layers=N,vocab=M", value_parser = query_tower)]
    pub query_tower: Option<QueryTower>,
    /// An encoder to compare with in the report, such as one that another tool trained.
    #[arg(long, value_name = "NAME=DIR", value_parser = baseline)]
    pub baseline: Vec<Baseline>,
    /// Updates between checkpoints.
    #[arg(long, value_name = "N", default_value = "100", value_parser = parse::positive)]
    pub checkpoint_every: usize,
    /// Threads; 0 for all cores. The result is the same for any number.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// Train on the first NVIDIA GPU (needs a build with --features cuda).
    #[arg(long)]
    pub cuda: bool,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `layers=N,vocab=M`
fn query_tower(text: &str) -> Result<QueryTower, String> {
    let (mut layers, mut vocabulary) = (None, None);
    for part in text.split(',') {
        let wrong = || format!("expected layers=N,vocab=M, found {part:?}");
        let (name, value) = part.split_once('=').ok_or_else(wrong)?;
        let value: usize = value.parse().map_err(|_| wrong())?;
        match name {
            "layers" => layers = Some(value),
            "vocab" => vocabulary = Some(value),
            _ => return Err(wrong()),
        }
    }
    match (layers, vocabulary) {
        (Some(layers), Some(vocabulary)) => Ok(QueryTower::new(layers, vocabulary)),
        _ => Err("expected both layers=N and vocab=M".into()),
    }
}

/// `NAME=DIR`
fn baseline(text: &str) -> Result<Baseline, String> {
    let (name, dir) = text.split_once('=').ok_or("expected NAME=DIR")?;
    Ok(Baseline {
        name: name.into(),
        dir: dir.into(),
    })
}
