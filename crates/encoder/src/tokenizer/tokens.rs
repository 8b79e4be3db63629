//! A text as token ids.

/// A text as the model takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Ids with the special tokens.
    pub ids: Vec<u32>,
    /// Number of tokens before truncation.
    pub untruncated: usize,
    /// Number of `ids` that stand for something that the tokenizer does not know.
    pub unknown: usize,
}
