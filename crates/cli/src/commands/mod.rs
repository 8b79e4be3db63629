//! A file for each command.

#[cfg(not(feature = "train"))]
mod absent;
mod answer;
pub mod build;
pub mod compact;
pub mod encode;
pub mod eval;
#[cfg(feature = "train")]
pub mod export;
pub mod histories;
pub mod inspect;
pub mod recommend;
mod report;
pub mod search;
pub mod suggest;
#[cfg(feature = "train")]
pub mod train;
pub mod types;
pub mod update;
pub mod verify;

#[cfg(not(feature = "train"))]
pub use absent::{export, train};

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use nearshelf::Shelf;

/// Opens a shelf, with its directory in front of every error.
fn open(directory: &Path) -> Result<Shelf> {
    Shelf::open(directory).with_context(|| format!("shelf {}", directory.display()))
}

/// Opens the shelf in a directory, or the demo.
fn open_or_demo(directory: Option<&Path>) -> Result<Shelf> {
    directory.map_or_else(crate::demo::open, open)
}

/// Writes a file that appears under its name when it is complete.
fn write_whole(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    nearshelf_files::write_whole(path, write).with_context(|| path.display().to_string())
}
