//! Running a network on texts.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use nearshelf_kernels::{Isa, Scratch, embed};

use crate::error::{Error, Result};
use crate::network::Network;

impl Network {
    /// A vector for each token of each text, `[tokens][channels]`, the texts one behind the other. A text's
    /// vectors do not depend on the other texts.
    ///
    /// # Errors
    /// A token id without an embedding, a text of more tokens than there are positions.
    pub fn run(&self, texts: &[&[u32]]) -> Result<Vec<f32>> {
        for ids in texts {
            if ids.len() > self.positions() {
                return Err(Error::Position {
                    positions: self.positions(),
                    tokens: ids.len(),
                });
            }
        }
        let rows = self.vocabulary();
        let all = texts.iter().flat_map(|ids| ids.iter());
        if let Some(&id) = all.max().filter(|&&id| id as usize >= rows) {
            return Err(Error::Token { rows, id });
        }

        let isa = Isa::detect();
        let ranges = ranges(texts);
        let tokens = ranges.last().map_or(0, |text| text.end);
        let mut hidden = vec![0f32; tokens * self.channels()];
        let placed = texts.iter().flat_map(|ids| {
            let places = ids.iter().enumerate();
            places.map(|(position, &id)| (id as usize, position))
        });
        embed(isa, &self.tables.view(), placed, &mut hidden)?;
        with_scratch(|scratch| {
            for layer in &self.layers {
                layer.run(isa, &mut hidden, &ranges, scratch);
            }
        });
        Ok(hidden)
    }
}

/// Where each text's tokens are.
fn ranges(texts: &[&[u32]]) -> Vec<Range<usize>> {
    let mut end = 0;
    let range = |ids: &&[u32]| {
        let start = end;
        end += ids.len();
        start..end
    };
    texts.iter().map(range).collect()
}

/// Buffers for as many threads as ever ran at once.
static SCRATCH: Mutex<Vec<Scratch>> = Mutex::new(Vec::new());

/// Lends buffers to `work`. They stay as large as the largest batch made them.
pub(crate) fn with_scratch<T>(work: impl FnOnce(&mut Scratch) -> T) -> T {
    let pool = || SCRATCH.lock().unwrap_or_else(PoisonError::into_inner);
    let mut scratch = pool().pop().unwrap_or_default();
    let result = work(&mut scratch);
    pool().push(scratch);
    result
}
