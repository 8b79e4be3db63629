//! Matrices of f32 as NumPy's files.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use npyz::WriterBuilder;

/// Reads a matrix: its numbers and its width.
pub fn read(path: &Path) -> Result<(Vec<f32>, usize)> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    let npy = npyz::NpyFile::new(&bytes[..])?;
    let width = npy.shape().get(1).copied().context("a matrix")? as usize;
    Ok((npy.into_vec()?, width))
}

/// Writes rows of `dims` numbers.
pub fn write(path: &Path, values: &[f32], dims: usize) -> Result<()> {
    let out = std::io::BufWriter::new(fs::File::create(path)?);
    let shape = [(values.len() / dims) as u64, dims as u64];
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(&shape)
        .writer(out)
        .begin_nd()?;
    writer.extend(values.iter().copied())?;
    Ok(writer.finish()?)
}
