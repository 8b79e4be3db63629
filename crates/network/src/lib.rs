//! The network of a sentence encoder: embeddings and encoder layers (BERT's), whose packed numbers are read in
//! place from the sections of a file, or owned.
//!
//! Token ids go in, a vector for each token comes out. Tokenizer and pooling are not this crate's.

mod error;
mod file;
mod fusion;
mod record;
mod run;
mod tables;

pub use error::{Error, Result};
pub use fusion::Fusion;
pub use tables::Tables;

use nearshelf_kernels::Layer;

/// An encoder's network. `Send + Sync`: threads can share one.
#[derive(Debug, Clone)]
pub struct Network {
    tables: Tables,
    layers: Vec<Layer>,
}

impl Network {
    /// Puts a network together.
    ///
    /// # Errors
    /// Layers of another width than the embeddings.
    pub fn new(tables: Tables, layers: Vec<Layer>) -> Result<Self> {
        let channels = tables.channels();
        for (i, layer) in layers.iter().enumerate() {
            if layer.channels() != channels {
                return Err(Error::Shape {
                    part: format!("layer {i}"),
                    expected: format!("{channels} channels, like the embeddings"),
                    found: layer.channels().to_string(),
                });
            }
        }
        Ok(Network { tables, layers })
    }

    /// Channels of a token: components of its vector.
    pub fn channels(&self) -> usize {
        self.tables.channels()
    }

    /// Rows of the word embeddings: token ids are below it.
    pub fn vocabulary(&self) -> usize {
        self.tables.vocabulary()
    }

    /// Rows of the position embeddings: the most tokens of a text.
    pub fn positions(&self) -> usize {
        self.tables.positions()
    }

    /// Encoder layers.
    pub fn layers(&self) -> usize {
        self.layers.len()
    }
}
