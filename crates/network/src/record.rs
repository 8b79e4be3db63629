//! The record that describes a network's sections.

use nearshelf_container::wire::Record;
use nearshelf_kernels::Activation;
use serde::{Deserialize, Serialize};

/// Shapes of a network, and the few numbers that are no sections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct NetworkRecord {
    /// Channels of a token.
    pub channels: u32,
    /// Epsilon of the embeddings' layer norm.
    pub epsilon: f32,
    /// The encoder layers, from the embeddings up.
    pub layers: Vec<Record<LayerRecord>>,
}

/// An encoder layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LayerRecord {
    /// Attention heads.
    pub heads: u32,
    /// Channels between the two feed-forward products.
    pub intermediate: u32,
    /// The activation between them.
    pub activation: ActivationRecord,
    /// Epsilon of the layer norm behind the attention.
    pub attention_epsilon: f32,
    /// Epsilon of the layer norm behind the feed-forward part.
    pub output_epsilon: f32,
}

/// An activation as files have it: its place in this list is its number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) enum ActivationRecord {
    None,
    Gelu,
    Relu,
}

impl From<Activation> for ActivationRecord {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::None => ActivationRecord::None,
            Activation::Gelu => ActivationRecord::Gelu,
            Activation::Relu => ActivationRecord::Relu,
        }
    }
}

impl From<ActivationRecord> for Activation {
    fn from(record: ActivationRecord) -> Self {
        match record {
            ActivationRecord::None => Activation::None,
            ActivationRecord::Gelu => Activation::Gelu,
            ActivationRecord::Relu => Activation::Relu,
        }
    }
}
