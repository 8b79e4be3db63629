//! Memory that walks and scans reuse.

use crate::beam::Beam;

/// Memory that walks and scans reuse: one for each thread that searches.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) visited: Visited,
    /// The nodes of this walk whose links were followed though they may be no hits.
    pub(super) passed: Visited,
    /// The same as a list.
    pub(super) through: Vec<u32>,
    /// The nodes that the walk goes through.
    pub(super) beam: Beam,
    /// The best of a scan.
    pub(crate) results: Beam,
    /// The nodes that the walk has compared, those of this step at the end.
    pub(crate) numbers: Vec<u32>,
    pub(crate) dots: Vec<i32>,
}

/// The nodes that a walk has seen, a bit each.
#[derive(Debug, Default)]
pub(super) struct Visited(Vec<u64>);

impl Visited {
    /// Makes room for numbers below `numbers`. Of the last walk, `seen` are all that were marked: they are few of many.
    pub fn reset(&mut self, numbers: usize, seen: &[u32]) {
        for &number in seen {
            if let Some(word) = self.0.get_mut(number as usize / 64) {
                *word = 0;
            }
        }
        self.0.resize(numbers.div_ceil(64), 0);
    }

    /// Marks a node: 1 if it was new, else 0. One that there is no room for is not new.
    #[inline(always)]
    pub fn mark(&mut self, number: u32) -> usize {
        let Some(word) = self.0.get_mut(number as usize / 64) else {
            return 0;
        };
        let bit = number % 64;
        let new = !*word >> bit & 1;
        *word |= 1 << bit;
        new as usize
    }
}
