//! Shapes of the network.

use nearshelf_export::BertConfig;

/// The sizes of a BERT.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sizes {
    /// Components of a token.
    pub hidden: usize,
    /// Components between the two linear layers of a feed-forward part.
    pub inner: usize,
    /// Attention heads.
    pub heads: usize,
    /// Encoder layers.
    pub layers: usize,
    /// Tokens that have an embedding.
    pub vocabulary: usize,
    /// Positions.
    pub positions: usize,
    /// Token types, of which texts use the first.
    pub types: usize,
    /// ε of the layer norms.
    pub eps: f32,
}

impl Sizes {
    pub(crate) fn of(config: &BertConfig) -> Self {
        Sizes {
            hidden: config.hidden_size,
            inner: config.intermediate_size,
            heads: config.num_attention_heads,
            layers: config.num_hidden_layers,
            vocabulary: config.vocab_size,
            positions: config.max_position_embeddings,
            types: config.type_vocab_size,
            eps: config.layer_norm_eps,
        }
    }

    /// Numbers in the parameters of one layer.
    pub(crate) fn layer_parameters(&self) -> usize {
        let Sizes { hidden, inner, .. } = *self;
        4 * hidden * hidden + 2 * hidden * inner + 9 * hidden + inner
    }

    /// Numbers in the parameters of the embeddings.
    pub(crate) fn embedding_parameters(&self) -> usize {
        (self.vocabulary + self.positions + self.types + 2) * self.hidden
    }

    /// All of them.
    pub fn parameters(&self) -> usize {
        self.embedding_parameters() + self.layers * self.layer_parameters()
    }
}
