//! The options of `nearshelf export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Directory of the encoder to export.
    #[arg(long, value_name = "DIR")]
    pub base: PathBuf,
    /// Directory to write model.onnx, tokenizer.json, encoder.json and network.nsn to.
    #[arg(long, value_name = "MODEL_DIR")]
    pub out: PathBuf,
    /// Weights as INT8 (a quarter of the size) or as they are.
    #[arg(long, value_enum, default_value = "int8")]
    pub precision: Precision,
    /// File of texts, one a line, that INT8 weights are chosen for besides random ones.
    #[arg(long, value_name = "FILE")]
    pub calibrate: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Precision {
    Int8,
    F32,
}
