//! Set-up, tests, benchmarks and the demo of this repository: `cargo xtask --help`.

mod aarch64;
mod bench;
mod demo;
mod demo_shelf;
mod lint;
mod native;
mod sentences;
mod setup;
mod shell;
mod site;
mod test;
mod wasm;
mod web;

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
    /// Run the encoder's tests on AArch64, under an emulator.
    Aarch64,
    /// Make the npm package: the wasm module, with simd128 and with relaxed-simd, and what is in `web`.
    Web,
    /// Make the C library and install it, its headers and its packages for pkg-config and CMake.
    Native {
        /// Where to.
        #[arg(long, value_name = "DIR")]
        prefix: Option<std::path::PathBuf>,
    },
    /// Make the demo page with its shelf and serve it.
    Site {
        /// Port on this machine.
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// Only make it, in this folder.
        #[arg(long, value_name = "DIR")]
        out: Option<std::path::PathBuf>,
    },
    /// Fuzz the parsers of shards and manifests, and the C ABI.
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
    /// Answer latencies to the benchmark of encoders.
    #[command(hide = true)]
    Latency {
        /// The model's directory.
        model: std::path::PathBuf,
    },
    /// Write the sentences that training/recipes/demo.toml learns from.
    Sentences {
        /// Where to, as JSON Lines.
        out: std::path::PathBuf,
    },
    /// Make assets/demo anew: generate the catalog, build the shelf.
    Demo {
        /// The model, made by training/recipes/demo.toml.
        #[arg(long, value_name = "MODEL_DIR")]
        model: Option<std::path::PathBuf>,
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
        Task::Aarch64 => aarch64::test(),
        Task::Web => web::build().map(|_| ()),
        Task::Native { prefix } => native::install(&prefix.unwrap_or_else(native::prefix)),
        Task::Site { port, out } => site::run(port, out),
        Task::Fuzz { seconds } => test::fuzz(seconds),
        Task::Latency { model } => bench::latency(&model),
        Task::Bench { what } => bench::run(what),
        Task::Sentences { out } => sentences::run(&out),
        Task::Demo { model, catalog } => demo_shelf::run(catalog.as_deref(), model.as_deref()),
    }
}
