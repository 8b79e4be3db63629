//! The `nearshelf` command.

mod commands;
mod demo;
mod output;
mod progress;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use nearshelf::ErrorKind;

/// Semantic product search where the shopper is.
#[derive(Debug, Parser)]
#[command(name = "nearshelf", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fine-tune an encoder by a recipe, measure it and make a model directory of it.
    Train(commands::train::TrainArgs),
    /// Write a sentence encoder (config.json, model.safetensors, tokenizer.json) as ONNX.
    Export(ExportArgs),
    /// Encode texts, one a line, into a NumPy matrix.
    Encode(EncodeArgs),
    /// Build a shelf from a catalog.
    Build(BuildArgs),
    /// Search a shelf by meaning; without a shelf, the demo.
    Search(SearchArgs),
    /// Measure a shelf against judgements.
    Eval(EvalArgs),
    /// Show what is in a shelf, or how a model runs.
    Inspect(ShelfArgs),
    /// Check every byte of a shelf.
    Verify(ShelfArgs),
}

#[derive(Debug, Args)]
struct ExportArgs {
    /// Directory of the encoder to export.
    #[arg(long, value_name = "DIR")]
    base: PathBuf,
    /// Directory to write model.onnx, tokenizer.json, encoder.json and network.nsn to.
    #[arg(long, value_name = "MODEL_DIR")]
    out: PathBuf,
    /// Weights as INT8 (a quarter of the size) or as they are.
    #[arg(long, value_enum, default_value = "int8")]
    precision: Precision,
    /// File of texts, one a line, that INT8 weights are chosen for besides random ones.
    #[arg(long, value_name = "FILE")]
    calibrate: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Precision {
    Int8,
    F32,
}

#[derive(Debug, Args)]
struct EncodeArgs {
    /// Model directory: network.nsn, or model.onnx and tokenizer.json.
    #[arg(long, value_name = "MODEL_DIR")]
    model: PathBuf,
    /// File of texts, one a line; - for standard input.
    #[arg(long, value_name = "FILE", default_value = "-")]
    input: PathBuf,
    /// NumPy file to write: float32 [n, dim].
    #[arg(long, value_name = "FILE.npy")]
    out: PathBuf,
    /// Tokens that texts are truncated to, instead of the model's default.
    #[arg(long, value_name = "N")]
    max_tokens: Option<usize>,
    /// Threads; 0 for all cores.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct BuildArgs {
    /// The catalog: .jsonl, .csv, .tsv or .parquet, gzipped or not.
    #[arg(long, value_name = "FILE")]
    items: PathBuf,
    /// Model directory, or a shelf whose encoder is taken; without it the demo's encoder, which is built in.
    #[arg(long, value_name = "MODEL_DIR|SHELF")]
    model: Option<PathBuf>,
    /// Directory to make.
    #[arg(long, value_name = "SHELF")]
    out: PathBuf,
    /// Field that names an item.
    #[arg(long, value_name = "FIELD", default_value = "id")]
    id: String,
    /// Fields whose texts are encoded.
    #[arg(
        long,
        value_name = "FIELD,…",
        value_delimiter = ',',
        default_value = "title"
    )]
    text: Vec<String>,
    /// Fields that hits come back with, each with its type (text, number, bool, tags) or without;
    /// all fields when left out.
    #[arg(long, value_name = "FIELD[:TYPE],…", value_delimiter = ',', value_parser = commands::build::field_spec)]
    fields: Vec<nearshelf_build::FieldSpec>,
    /// Items in a shard at most: 65,535 suits native apps; a browser or an edge function, which
    /// fetches shards one by one (and may cap a file at 25 MiB), wants 8,000 to 30,000.
    #[arg(long, value_name = "N", default_value_t = nearshelf_build::BuildOptions::default().shard_size)]
    shard_size: usize,
    /// Seed of clustering and graphs.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Threads; 0 for all cores. The shelf is the same for any number.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Vectors of the items, float32 [n, dim] of length 1 in the order of the items, instead of
    /// encoding them.
    #[arg(long, value_name = "FILE.npy")]
    vectors: Option<PathBuf>,
    /// Fail on the first problem in the catalog, and build nothing.
    #[arg(long)]
    strict: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct SearchArgs {
    /// Shelf and query; with one of them, the query goes to the demo shelf.
    #[arg(value_name = "[SHELF] QUERY", num_args = 0..=2)]
    target: Vec<String>,
    #[command(flatten)]
    search: SearchFlags,
    /// Hits wanted.
    #[arg(short, value_name = "K", default_value = "10", value_parser = positive)]
    k: usize,
    /// Many queries instead of one: JSON Lines with "_id" and "text".
    #[arg(long, value_name = "FILE.jsonl", requires = "run")]
    queries: Option<PathBuf>,
    /// TREC run to write for --queries.
    #[arg(long, value_name = "OUT.trec", requires = "queries")]
    run: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, Args)]
struct SearchFlags {
    /// Shards to search, nearest first; the shelf's own default when left out.
    #[arg(long, value_name = "N", value_parser = positive)]
    probe: Option<usize>,
    /// Candidates to keep while searching; more find more and take longer.
    #[arg(long, value_name = "N", value_parser = positive)]
    ef: Option<usize>,
}

#[derive(Debug, Args)]
struct EvalArgs {
    /// The shelf.
    shelf: PathBuf,
    /// Queries: JSON Lines with "_id" and "text", and for strata "frequency" and "vertical".
    #[arg(long, value_name = "FILE")]
    queries: PathBuf,
    /// Judgements: query, item and grade, separated by tabs.
    #[arg(long, value_name = "FILE")]
    qrels: PathBuf,
    #[command(flatten)]
    search: SearchFlags,
    /// Depth of the metrics.
    #[arg(short, value_name = "K", default_value = "10", value_parser = positive)]
    k: usize,
    /// Grade from which an item counts as relevant (recall, MRR, hit).
    #[arg(long, value_name = "GRADE", default_value_t = 1.0)]
    relevant: f64,
    /// Systems to compare with.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "bm25,exact")]
    baseline: Vec<Baseline>,
    /// TREC run of another system to compare with: is the difference significant?
    #[arg(long, value_name = "RUN.trec")]
    against: Option<PathBuf>,
    /// TREC run to write.
    #[arg(long, value_name = "OUT.trec")]
    run: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Baseline {
    /// Words that query and item share.
    Bm25,
    /// Every item compared, no index.
    Exact,
}

#[derive(Debug, Args)]
struct ShelfArgs {
    /// The shelf.
    shelf: PathBuf,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("expected 1 or more".into()),
        Ok(n) => Ok(n),
        Err(_) => Err("expected a whole number".into()),
    }
}

fn main() -> ExitCode {
    // What the runtime has to say of a model, and nothing of the libraries below it.
    env_logger::Builder::new()
        .filter_module("nearshelf_lower", log::LevelFilter::Warn)
        .format(|to, record| writeln!(to, "warning: {}", record.args()))
        .init();
    let result = match Cli::parse().command {
        Command::Train(args) => commands::train::run(&args),
        Command::Export(args) => commands::export::run(&args),
        Command::Encode(args) => commands::encode::run(&args),
        Command::Build(args) => commands::build::run(&args),
        Command::Search(args) => commands::search::run(&args),
        Command::Eval(args) => commands::eval::run(&args),
        Command::Inspect(args) => commands::inspect::run(&args),
        Command::Verify(args) => commands::verify::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", message(&error));
            exit_code(&error)
        }
    }
}

/// 2 where the caller asked for something that there is not, 1 for every other failure.
fn exit_code(error: &anyhow::Error) -> ExitCode {
    let kind = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<nearshelf::Error>())
        .map(nearshelf::Error::kind);
    match kind {
        Some(ErrorKind::Usage) => ExitCode::from(2),
        None
        | Some(
            ErrorKind::Io
            | ErrorKind::Missing
            | ErrorKind::Damaged
            | ErrorKind::Altered
            | ErrorKind::TooNew
            | ErrorKind::Unsupported
            | ErrorKind::Encoding,
        ) => ExitCode::FAILURE,
    }
}

/// An error and its causes in one line. Libraries' errors name their cause themselves, so that a cause
/// which the line already ends with is not said again.
fn message(error: &anyhow::Error) -> String {
    let mut line = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !line.ends_with(&cause) {
            line += &format!(": {cause}");
        }
    }
    line
}
