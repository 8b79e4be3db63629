//! The commands that make models, in a build without them: each says how to get it.

use anyhow::{Result, bail};

/// `nearshelf export`.
pub mod export {
    pub fn run(_: &crate::args::ExportArgs) -> super::Result<()> {
        super::say("export")
    }
}

/// `nearshelf train`.
pub mod train {
    pub fn run(_: &crate::args::TrainArgs) -> super::Result<()> {
        super::say("train")
    }
}

fn say(command: &str) -> Result<()> {
    bail!(
        "this build of nearshelf makes no models: `cargo install nearshelf-cli --features train` does, and in this \
         repository `cargo run --release --features train -- {command} …`"
    )
}
