use anyhow::Result;
use clap::Subcommand;

/// What to measure.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum What {
    /// Search, against faiss, hnswlib, usearch and instant-distance.
    Search,
    /// Encoding, against ONNX Runtime.
    Encoder,
}

pub fn run(_what: Option<What>) -> Result<()> {
    Ok(())
}
