//! `nearshelf train` in a build without training: says how to get it.

use std::ffi::OsString;

use anyhow::{Result, bail};
use clap::Args;

/// Any arguments.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// The arguments of a build with training.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _arguments: Vec<OsString>,
}

/// Says how to get training.
pub fn run(_: &TrainArgs) -> Result<()> {
    bail!(
        "this build of nearshelf does not train: `cargo install nearshelf-cli --features train` does, and \
         in this repository `cargo run --release --features train -- train …`"
    )
}
