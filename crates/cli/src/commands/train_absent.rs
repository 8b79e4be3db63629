//! `nearshelf train` in a build without training: says how to get it.

use anyhow::{Result, bail};

use crate::args::TrainArgs;

/// Says how to get training.
pub fn run(_: &TrainArgs) -> Result<()> {
    bail!(
        "this build of nearshelf does not train: `cargo install nearshelf-cli --features train` does, and \
         in this repository `cargo run --release --features train -- train …`"
    )
}
