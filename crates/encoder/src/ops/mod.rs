//! The fused operators as tract sees them.
//!
//! Their tokens come packed, `[1, tokens]`; the attention mask tells texts apart: a run of equal
//! numbers is a text, 0 is padding.

mod embed;
mod layer;
mod linear;

pub(crate) use embed::EmbedTokens;
pub(crate) use layer::EncoderLayer;
pub(crate) use linear::QuantizedLinear;

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use nearshelf_kernels::Scratch;

/// The texts that an attention mask describes.
fn texts(mask: &[i64]) -> Vec<Range<usize>> {
    let mut texts = Vec::new();
    let mut start = 0;
    for run in mask.chunk_by(|a, b| a == b) {
        if run[0] != 0 {
            texts.push(start..start + run.len());
        }
        start += run.len();
    }
    texts
}

/// Buffers for as many threads as ever ran at once.
static SCRATCH: Mutex<Vec<Scratch>> = Mutex::new(Vec::new());

/// Lends buffers to `work`. They stay as large as the largest batch made them.
fn with_scratch<T>(work: impl FnOnce(&mut Scratch) -> T) -> T {
    let pool = || SCRATCH.lock().unwrap_or_else(PoisonError::into_inner);
    let mut scratch = pool().pop().unwrap_or_default();
    let result = work(&mut scratch);
    pool().push(scratch);
    result
}

#[cfg(test)]
mod tests {
    use super::texts;

    #[test]
    fn runs_of_a_mask_are_texts() {
        assert_eq!(texts(&[1, 1, 2, 3, 3, 0, 0]), [0..2, 2..3, 3..5]);
        assert!(texts(&[0]).is_empty());
    }
}
