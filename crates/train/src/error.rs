//! Errors of training.

use std::path::{Path, PathBuf};

/// An error of training.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are what the messages name")]
pub enum Error {
    #[error("{path}: {source}", path = path.display())]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}: expected {expected}, found {found}", path = path.display())]
    Base {
        path: PathBuf,
        expected: String,
        found: String,
    },
    #[error("recipe {path}{place}: expected {expected}, found {found}", path = path.display())]
    Recipe {
        path: PathBuf,
        place: String,
        expected: String,
        found: String,
    },
    #[error("checkpoint {path}: expected {expected}, found {found}", path = path.display())]
    Checkpoint {
        path: PathBuf,
        expected: String,
        found: String,
    },
    #[error("{option}: expected {expected}, found {found}")]
    Option {
        option: &'static str,
        expected: String,
        found: String,
    },
    #[error("text: expected {expected}, found {found}")]
    Text { expected: String, found: String },
    #[error("data {name}: expected {expected}, found {found}")]
    Data {
        name: String,
        expected: String,
        found: String,
    },
    #[error(
        "stage {stage}, step {step}: the loss is {found}; the last good checkpoint is kept in {kept}",
        kept = kept.display()
    )]
    NotFinite {
        stage: String,
        step: usize,
        found: f64,
        kept: PathBuf,
    },
    #[error(
        "INT8 keeps {found:.4} of the f32 model's {metric} on {eval}, expected {expected} or more"
    )]
    Quality {
        eval: String,
        metric: String,
        expected: f64,
        found: f64,
    },
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    #[error(transparent)]
    Encoder(#[from] nearshelf_encoder::Error),
    #[error(transparent)]
    Export(#[from] nearshelf_export::Error),
    #[error(transparent)]
    Index(#[from] nearshelf_index::Error),
    #[error(transparent)]
    Build(#[from] nearshelf_build::Error),
    #[error(transparent)]
    Datasets(#[from] nearshelf_datasets::Error),
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Error::Io {
            path: path.to_owned(),
            source,
        }
    }
}
