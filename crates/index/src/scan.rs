//! The exact search by coarse codes: every item that may be a hit is compared.

use nearshelf_container::{Absent, Storage};

use crate::accept::Accept;
use crate::codes::{Codes, Layout, Query, Rows};
use crate::shard::Shard;
use crate::walk::{Candidate, Pool, Scratch};

/// Rows that a scan compares at a time.
const SCAN_BLOCK: usize = 256;

impl<S: Storage> Shard<S> {
    /// Offers every item that `accept` takes to the pool; how many were compared.
    ///
    /// A query of other dimensions than the shard's finds nothing.
    ///
    /// # Errors
    /// Codes of the shard are not here.
    pub fn scan<A: Accept>(
        &self,
        shard: u32,
        query: &Query,
        accept: &A,
        pool: &mut Pool,
        scratch: &mut Scratch,
    ) -> Result<u64, Absent> {
        if query.dims() != self.dims() {
            return Ok(0);
        }
        let Layout::SevenFour(codes) = self.layout();
        let rows = codes.rows(self.storage())?;
        let Scratch { items, dots, .. } = scratch;
        dots.resize(dots.len().max(SCAN_BLOCK), 0);
        let mut compared = 0;
        let mut accepted = (0..self.len() as u16).filter(|&item| accept.accepts(item));
        loop {
            items.clear();
            items.extend(accepted.by_ref().take(SCAN_BLOCK));
            if items.is_empty() {
                return Ok(compared);
            }
            compared += items.len() as u64;
            rows.score(query.seven_four(), items, dots, |item, score| {
                pool.offer(Candidate {
                    score,
                    shard,
                    item: item.into(),
                });
            });
        }
    }
}
