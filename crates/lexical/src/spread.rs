//! Where a term is: in how many items, and in which shards.
//!
//! ```text
//! starts   a block of 64 terms: u32 start of its records
//! record   varint(items) · varint(shards) · varint(first shard) · varint(gap − 1) …
//! ```
//!
//! A record of a term that is in more than half of the shards has 0 shards: it says nothing of where to go.

use crate::terms::TermId;
use crate::varint;

const BLOCK: usize = 64;

/// Where a term is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spread {
    /// Items that hold it.
    pub items: u32,
    /// Shards that hold it; `None` where most do.
    pub shards: Option<Vec<u32>>,
}

/// The records as they are written.
#[derive(Debug, Default)]
pub(crate) struct SpreadWriter {
    pub starts: Vec<u8>,
    pub records: Vec<u8>,
    terms: usize,
}

impl SpreadWriter {
    /// Adds the next term, with the shards that hold it in rising order, of `all` shards.
    pub fn push(&mut self, items: u32, shards: &[u32], all: usize) {
        if self.terms.is_multiple_of(BLOCK) {
            let start = self.records.len() as u32;
            self.starts.extend_from_slice(&start.to_le_bytes());
        }
        self.terms += 1;
        varint::put(&mut self.records, items);
        let few = shards.len() * 2 <= all;
        let shards = if few { shards } else { &[] };
        varint::put(&mut self.records, shards.len() as u32);
        let mut next = 0;
        for &shard in shards {
            varint::put(&mut self.records, shard - next);
            next = shard + 1;
        }
    }
}

/// The records, read in place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spreads<'a> {
    pub starts: &'a [u8],
    pub records: &'a [u8],
}

impl Spreads<'_> {
    /// Where a term is; nowhere past the last one.
    pub fn of(&self, term: TermId) -> Spread {
        self.read(term as usize).unwrap_or_default()
    }

    fn read(&self, term: usize) -> Option<Spread> {
        let start = self.starts.as_chunks().0.get(term / BLOCK)?;
        let mut at = u32::from_le_bytes(*start) as usize;
        let mut number = || varint::take(self.records, &mut at);
        for _ in 0..term % BLOCK {
            number()?;
            for _ in 0..number()? {
                number()?;
            }
        }
        let items = number()?;
        let count = number()?;
        let mut shards = Vec::new();
        let mut next = 0u32;
        for _ in 0..count {
            let shard = next.checked_add(number()?)?;
            shards.push(shard);
            next = shard.checked_add(1)?;
        }
        let shards = (count > 0).then_some(shards);
        Some(Spread { items, shards })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn spreads_come_back(terms in proptest::collection::vec((1u32..100_000, proptest::collection::btree_set(0u32..40, 1..12)), 0..200)) {
            let mut writer = SpreadWriter::default();
            for (items, shards) in &terms {
                let shards: Vec<u32> = shards.iter().copied().collect();
                writer.push(*items, &shards, 20);
            }
            let spreads = Spreads { starts: &writer.starts, records: &writer.records };
            for (term, (items, shards)) in (0..).zip(&terms) {
                let found = spreads.of(term);
                prop_assert_eq!(found.items, *items);
                let expected: Vec<u32> = shards.iter().copied().collect();
                prop_assert_eq!(found.shards, (shards.len() <= 10).then_some(expected));
            }
            prop_assert_eq!(spreads.of(terms.len() as u32 + 64), Spread::default());
        }

        #[test]
        fn any_bytes_are_spreads(starts: Vec<u8>, records: Vec<u8>, term: u32) {
            let _ = Spreads { starts: &starts, records: &records }.of(term % 500);
        }
    }
}
