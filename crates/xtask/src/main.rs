//! Set-up, tests, benchmarks and the demo of this repository: `cargo xtask --help`.

use std::process::Command;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask::aarch64::Aarch64;
use xtask::shell::{program, run, tool};
use xtask::{lint, native, setup, site, test, web};

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
    /// Measure against the peers, in one run: `cargo xtask bench --help`.
    Bench {
        /// Arguments of the benchmarks.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Make the demo's parts anew: `cargo xtask demo --help`.
    Demo {
        /// Arguments of the generator.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> Result<()> {
    match Xtask::parse().task {
        Task::Setup => setup::all(),
        Task::Test => test::run(),
        Task::Lint => lint::run_all(),
        Task::Aarch64 => Aarch64::build()?.map_or(Ok(()), |tests| tests.test()),
        Task::Web => web::build().map(|_| ()),
        Task::Native { prefix } => native::install(&prefix.unwrap_or_else(native::prefix)),
        Task::Site { port, out } => site::run(port, out),
        Task::Fuzz { seconds } => test::fuzz(seconds),
        Task::Bench { arguments } => run(Command::new(program("nearshelf-bench")?).args(arguments)),
        Task::Demo { arguments } => run(tool("nearshelf-demo").args(arguments)),
    }
}
