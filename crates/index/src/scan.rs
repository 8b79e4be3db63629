//! The exact search by coarse codes: every item that may be a hit is compared.

use crate::accept::Accept;
use crate::beam::Beam;
use crate::candidates::Candidates;
use crate::codes::Query;
use crate::kernel;
use crate::slices::Slices;
use crate::walk::Scratch;

/// Rows that a scan compares at a time.
const BLOCK: usize = 64;

impl Slices<'_> {
    /// Compares every item that `accept` takes: the `keep` best by coarse codes.
    ///
    /// A query of other dimensions than the slices' finds nothing.
    pub fn scan<A: Accept>(
        &self,
        query: &Query,
        keep: usize,
        accept: &A,
        scratch: &mut Scratch,
    ) -> Candidates {
        if query.dims() != self.dims() {
            return Candidates::default();
        }
        let Scratch { results, dots, .. } = scratch;
        let keep = keep.max(1);
        results.reset(keep);
        // Nodes that may be among the best: sorted when they are so many more, as each insertion moves half of the kept.
        let mut nodes: Vec<u64> = Vec::with_capacity(3 * keep.min(self.items()) + BLOCK);
        let mut least = 0;
        // Not the scratch's: by those, the marks of the last walk are taken back.
        let mut numbers: Vec<u32> = Vec::with_capacity(BLOCK);
        dots.resize(dots.len().max(BLOCK), 0);
        let dot_rows = kernel::dot_rows();
        let mut rows = Vec::with_capacity(BLOCK);
        let mut distances = 0;
        for (shard, slice) in self.iter() {
            let end = slice.items.min(usize::from(u16::MAX)) as u32;
            let mut from = 0;
            loop {
                numbers.clear();
                rows.clear();
                while rows.len() < BLOCK
                    && let Some(item) = accept.next(shard, from, end)
                {
                    from = item + 1;
                    if let Some(row) = self.row(slice, item) {
                        kernel::prefetch(row);
                        rows.push(row);
                        numbers.push(self.numbering.number(shard, item));
                    }
                }
                if rows.is_empty() {
                    break;
                }
                distances += rows.len() as u64;
                dot_rows(&rows, query.coarse(), dots);
                for (&score, &number) in dots.iter().zip(numbers.iter()) {
                    let key = Beam::key(score, number);
                    if key > least {
                        nodes.push(key);
                    }
                }
                if nodes.len() >= 3 * keep {
                    results.keep_best(&mut nodes);
                    least = nodes.last().copied().unwrap_or_default();
                }
            }
        }
        results.keep_best(&mut nodes);
        Candidates {
            best: self.candidates(results, keep),
            distances,
            ..Candidates::default()
        }
    }
}
