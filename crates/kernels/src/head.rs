//! A head of attention, and its buffers.

/// One head of one text.
pub(crate) struct Head<'a> {
    /// Queries, keys and values of the text's tokens, a row of `3 · channels` for each. Queries are
    /// scaled by log2(e) / √d, so that the softmax can be made of powers of two.
    pub qkv: &'a [f32],
    /// Channels of all heads.
    pub channels: usize,
    /// The head's first channel.
    pub first: usize,
    /// The head's channels, a multiple of 16.
    pub width: usize,
    /// Tokens of the text.
    pub tokens: usize,
}

/// Buffers of one head.
#[derive(Default)]
pub(crate) struct HeadScratch {
    /// Keys, `[width][tokens, padded]`.
    pub keys: Vec<f32>,
    /// Scores of a few queries.
    pub scores: Vec<f32>,
}
