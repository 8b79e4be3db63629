//! Measurements against the peers, side by side in one run. Nothing here passes or fails.

mod encoder;
mod filters;
mod matrix;
mod model;
mod native;
mod page;
mod search;
mod stages;
mod timing;
mod train;
mod updates;
mod web;
mod words;

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use xtask::shell::cache;

#[derive(Debug, Parser)]
#[command(about = "Measures nearshelf against its peers")]
enum Bench {
    /// Search, against faiss, hnswlib, usearch and instant-distance; build, open, size.
    Search {
        /// Titles of the shared catalog to index; 0 for all, and variants of them where more are wanted. instant-distance takes an
        /// hour for all.
        #[arg(long, default_value_t = 50_000)]
        items: usize,
        /// Peers to measure, or none.
        #[arg(
            long,
            value_delimiter = ',',
            default_value = "faiss,hnswlib,usearch,instant-distance",
            num_args = 0..
        )]
        peers: Vec<String>,
        /// Bits of nearshelf's codes.
        #[arg(long, default_value = "4+4")]
        precision: String,
        /// Candidates kept while building, for all peers alike.
        #[arg(long, default_value_t = 200)]
        ef_construction: usize,
        /// Search the shelf that the last run built, of the same items, instead of building it again.
        #[arg(long)]
        reuse: bool,
    },
    /// Search by words, against tantivy over the same terms; what words add to a search by meaning.
    Words {
        /// Search the shelf that the last run of `search --items 0` or of this built.
        #[arg(long)]
        reuse: bool,
    },
    /// Filters inside the search by the share that they allow, against faiss with a bitmap; facets.
    Filters {
        /// Search the shelf that the last run built.
        #[arg(long)]
        reuse: bool,
        /// Measure faiss as well, whose index takes some minutes.
        #[arg(long)]
        faiss: bool,
    },
    /// Updates day by day: time, bytes, and searches afterwards.
    Update {
        /// Days of updates; 0 for the shelf that the last run left.
        #[arg(long, default_value_t = 30)]
        days: usize,
        /// Begin with the shelf that the last run of this or of `filters` built.
        #[arg(long)]
        reuse: bool,
    },
    /// Encoding, against ONNX Runtime INT8.
    Encoder,
    /// Answer latencies to the benchmark of encoders.
    #[command(hide = true)]
    Latency {
        /// The model's directory.
        model: PathBuf,
    },
    /// The npm package in Chromium, against transformers.js with voy or edgevec.
    Web {
        /// Turns.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// The demo page behind a phone's line: bytes and time to the first hits, by words and by both.
    Stages {
        /// Turns.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// A shelf of the demo's catalog, such as one that was built with other options.
        #[arg(long, value_name = "DIR")]
        shelf: Option<PathBuf>,
    },
    /// A page's search box over the demo in Chromium: words, a filter and facets, against MiniSearch and Orama.
    Page,
    /// The C library: what its ABI costs, opening, threads.
    Native,
    /// The content of the wasm modules, by crate.
    Size,
    /// Training, against sentence-transformers.
    Train {
        /// The recipe, whose contrastive stage both train.
        #[arg(long, default_value = "training/recipes/mnrl.toml")]
        recipe: PathBuf,
        /// Steps of a turn.
        #[arg(long, default_value_t = 20)]
        steps: usize,
        /// Directory for what sentence-transformers makes of the whole stage.
        #[arg(long, value_name = "DIR")]
        save: Option<PathBuf>,
    },
}

fn main() -> Result<()> {
    match Bench::parse() {
        Bench::Search {
            items,
            peers,
            precision,
            ef_construction,
            reuse,
        } => {
            let data = search::data::Data::prepare(&cache().join("bench"), items)?;
            let own = search::ours::Own { precision, reuse };
            search::run(&data, &own, &peers, ef_construction)
        }
        Bench::Words { reuse } => words::run(reuse),
        Bench::Filters { reuse, faiss } => filters::run(reuse, faiss),
        Bench::Update { days, reuse } => updates::run(days, reuse),
        Bench::Encoder => encoder::run(),
        Bench::Latency { model } => encoder::latency(&model),
        Bench::Web { rounds } => web::run(rounds),
        Bench::Stages { rounds, shelf } => stages::run(rounds, shelf.as_deref()),
        Bench::Page => page::run(),
        Bench::Native => native::run(),
        Bench::Size => web::sizes(),
        Bench::Train {
            recipe,
            steps,
            save,
        } => train::run(&recipe, steps, save.as_deref()),
    }
}
