//! Set-up, tests, benchmarks and the demo of this repository: `cargo xtask --help`.

mod bench;
mod demo;
mod demo_shelf;
mod lint;
mod setup;
mod shell;
mod test;
mod wasm;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(about = "Set-up, tests and benchmarks of nearshelf")]
struct Xtask {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Fetch what tests need: Python packages, the base model, the wasm target.
    Setup,
    /// Set up, then run every test.
    Test,
    /// Formatting, clippy, documentation, licences.
    Lint,
    /// Compile the runtime for wasm32.
    Wasm,
    /// Fuzz the parsers of shards and manifests.
    Fuzz {
        /// Seconds for each target.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// Measure against the peers, in one run.
    Bench {
        #[command(subcommand)]
        what: Option<bench::What>,
    },
    /// Make assets/demo anew: generate the catalog, export the base model, build the shelf.
    Demo {
        /// Only write the generated catalog, as JSON Lines.
        #[arg(long, value_name = "FILE.jsonl")]
        catalog: Option<std::path::PathBuf>,
    },
}

fn main() -> Result<()> {
    match Xtask::parse().task {
        Task::Setup => setup::all().map(|_| ()),
        Task::Test => test::run(),
        Task::Lint => lint::run_all(),
        Task::Wasm => wasm::check(),
        Task::Fuzz { seconds } => test::fuzz(seconds),
        Task::Bench { what } => bench::run(what),
        Task::Demo { catalog } => demo_shelf::run(catalog.as_deref()),
    }
}
