//! The demo: its generated catalog, the sentences that its encoder learns from, and its shelf.

mod catalog;
mod sentences;
mod shelf;
mod vocabulary;

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;

#[derive(Debug, Parser)]
#[command(about = "Makes what the demo is made of")]
enum Demo {
    /// Write the generated catalog, as JSON Lines.
    Catalog {
        /// Where to.
        out: PathBuf,
    },
    /// Write the sentences that training/recipes/demo.toml learns from.
    Sentences {
        /// Where to, as JSON Lines.
        out: PathBuf,
    },
    /// Make assets/demo anew: generate the catalog, build the shelf.
    Shelf {
        /// The model directory; assets/model when left out.
        #[arg(long, value_name = "MODEL_DIR")]
        model: Option<PathBuf>,
    },
}

fn main() -> Result<()> {
    match Demo::parse() {
        Demo::Catalog { out } => catalog::write(&out),
        Demo::Sentences { out } => sentences::run(&out),
        Demo::Shelf { model } => shelf::run(model.as_deref()),
    }
}
