//! A file for each command.

#[cfg(not(feature = "train"))]
mod absent;
pub mod build;
pub mod encode;
pub mod eval;
#[cfg(feature = "train")]
pub mod export;
pub mod inspect;
pub mod search;
#[cfg(feature = "train")]
pub mod train;
pub mod verify;

#[cfg(not(feature = "train"))]
pub use absent::{export, train};

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use nearshelf::Shelf;

/// Opens a shelf, with its directory in front of every error.
fn open(directory: &Path) -> Result<Shelf> {
    Shelf::open(directory).with_context(|| format!("shelf {}", directory.display()))
}

/// Writes a file that appears under its name when it is complete.
fn write_whole(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    nearshelf_files::write_whole(path, write).with_context(|| path.display().to_string())
}

/// Reads a float32 matrix; its rows' length and its numbers.
fn read_npy(path: &Path) -> Result<(usize, Vec<f32>)> {
    let read = || {
        let npy = npyz::NpyFile::new(std::io::BufReader::new(File::open(path)?))?;
        let [rows, columns] = npy.shape() else {
            anyhow::bail!("expected a matrix, found shape {:?}", npy.shape());
        };
        let (rows, columns) = (*rows, *columns);
        anyhow::ensure!(
            npy.order() == npyz::Order::C,
            "expected rows one behind the other (C order), found Fortran order"
        );
        let values = npy.into_vec::<f32>()?;
        anyhow::ensure!(
            values.len() as u64 == rows * columns,
            "expected {rows} × {columns} numbers, found {}",
            values.len()
        );
        Ok((columns as usize, values))
    };
    read().with_context(|| path.display().to_string())
}
