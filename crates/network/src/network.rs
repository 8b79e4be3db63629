//! An encoder's network: embeddings and layers.

use nearshelf_kernels::Layer;

use crate::error::{Error, Result};
use crate::tables::Tables;

/// An encoder's network. `Send + Sync`: threads can share one.
#[derive(Debug, Clone)]
pub struct Network {
    pub(crate) tables: Tables,
    pub(crate) layers: Vec<Layer>,
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
