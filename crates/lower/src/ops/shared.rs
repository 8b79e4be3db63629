//! Weights that operators share, and the texts and buffers that they work on.

use std::ops::{Deref, Range};
use std::sync::{Arc, Mutex, PoisonError};

use nearshelf_kernels::Scratch;

/// Weights that copies of an operator share. tract compares operators: two are the same where they
/// share their weights.
#[derive(Debug)]
pub struct Shared<T>(Arc<T>);

impl<T> Shared<T> {
    pub fn new(weights: T) -> Self {
        Shared(Arc::new(weights))
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Shared(self.0.clone())
    }
}

impl<T> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Eq for Shared<T> {}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// The texts that an attention mask describes.
pub fn texts(mask: &[i64]) -> Vec<Range<usize>> {
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
pub fn with_scratch<T>(work: impl FnOnce(&mut Scratch) -> T) -> T {
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
