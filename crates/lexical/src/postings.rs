//! Posting lists: the items of a shard that hold a term, and how often in which field.
//!
//! ```text
//! list     number of postings · [entries of blocks] · postings
//! entry    u16 first item · u24 start of the block's postings     only where there is more than one block
//! posting  varint(gap · 2 + more) · [counts]      gap: from the item before; of a block's first, from the entry
//! counts   a byte a field: field << 4 | count, count 0: it follows in a byte of its own; the last has bit 7
//! ```
//!
//! A posting without `more` is one occurrence in field 0, as most are. Blocks of 128 postings can be read alone.

use crate::varint;

/// Postings in a block.
const BLOCK: usize = 128;
const ENTRY_BYTES: usize = 5;
/// Fields that are told apart.
pub const MAX_FIELDS: usize = 8;

/// The number of a term's occurrences in an item, by field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counts<'a> {
    /// Once, in field 0.
    Once,
    /// As the bytes say.
    Fields(&'a [u8]),
}

impl Counts<'_> {
    /// Each field with its count.
    #[inline]
    pub fn each(self, mut each: impl FnMut(usize, u32)) {
        let bytes = match self {
            Counts::Once => return each(0, 1),
            Counts::Fields(bytes) => bytes,
        };
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let field = usize::from(byte >> 4 & 7);
            at += 1;
            let mut count = u32::from(byte & 15);
            if count == 0 {
                count = bytes.get(at).copied().unwrap_or_default().into();
                at += 1;
            }
            each(field, count);
            if byte & 0x80 != 0 {
                break;
            }
        }
    }
}

/// A posting as it is written: an item and its counts by field, in rising order of fields.
pub(crate) type Written = (u16, Vec<(u8, u8)>);

/// Writes a list of postings in rising order of items.
pub(crate) fn write(postings: &[Written]) -> Vec<u8> {
    let mut list = Vec::new();
    varint::put(&mut list, postings.len() as u32);
    let mut entries = Vec::new();
    let mut bytes = Vec::new();
    for block in postings.chunks(BLOCK) {
        let mut before = block.first().map_or(0, |(item, _)| *item);
        if postings.len() > BLOCK {
            entries.extend_from_slice(&before.to_le_bytes());
            entries.extend_from_slice(&(bytes.len() as u32).to_le_bytes()[..3]);
        } else {
            before = 0;
        }
        for (item, counts) in block {
            let gap = u32::from(item - before);
            before = *item;
            let once = counts[..] == [(0, 1)];
            varint::put(&mut bytes, gap << 1 | u32::from(!once));
            if !once {
                write_counts(&mut bytes, counts);
            }
        }
    }
    list.extend(entries);
    list.extend(bytes);
    list
}

fn write_counts(bytes: &mut Vec<u8>, counts: &[(u8, u8)]) {
    for (place, &(field, count)) in counts.iter().enumerate() {
        let last = if place + 1 == counts.len() { 0x80 } else { 0 };
        let short = if count < 16 { count } else { 0 };
        bytes.push(last | field << 4 | short);
        if short == 0 {
            bytes.push(count);
        }
    }
}

/// A list, read in place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List<'a> {
    len: usize,
    entries: &'a [u8],
    bytes: &'a [u8],
}

impl<'a> List<'a> {
    /// Of its bytes; what damage made unreadable is empty.
    pub fn new(list: &'a [u8]) -> Self {
        let mut at = 0;
        let len = varint::take(list, &mut at).unwrap_or_default() as usize;
        let blocks = if len > BLOCK { len.div_ceil(BLOCK) } else { 0 };
        let rest = list.get(at..).unwrap_or_default();
        match rest.split_at_checked(blocks * ENTRY_BYTES) {
            Some((entries, bytes)) => List {
                len,
                entries,
                bytes,
            },
            None => List {
                len: 0,
                entries: &[],
                bytes: &[],
            },
        }
    }

    /// Postings in it.
    pub fn len(&self) -> usize {
        self.len
    }

    fn blocks(&self) -> usize {
        (self.entries.len() / ENTRY_BYTES).max(1)
    }

    /// The first item of a block, and where its postings start.
    fn entry(&self, block: usize) -> (u32, usize) {
        let entry = self.entries.get(block * ENTRY_BYTES..);
        match entry.and_then(|entry| entry.first_chunk::<ENTRY_BYTES>()) {
            Some(&[a, b, c, d, e]) => {
                let start = u32::from_le_bytes([c, d, e, 0]) as usize;
                (u16::from_le_bytes([a, b]).into(), start)
            }
            None => (0, 0),
        }
    }

    /// Each posting of a block, in rising order of items, until `each` says no.
    #[inline]
    fn block(&self, block: usize, mut each: impl FnMut(u32, Counts<'a>) -> bool) {
        let (mut item, mut at) = self.entry(block);
        let left = self.len.saturating_sub(block * BLOCK).min(BLOCK);
        for _ in 0..left {
            let Some(head) = varint::take(self.bytes, &mut at) else {
                return;
            };
            item = item.saturating_add(head >> 1);
            let counts = if head & 1 == 0 {
                Counts::Once
            } else {
                let from = at;
                at = end_of_counts(self.bytes, at);
                Counts::Fields(&self.bytes[from..at])
            };
            if !each(item, counts) {
                return;
            }
        }
    }

    /// Each posting, in rising order of items.
    #[inline]
    pub fn each(&self, mut each: impl FnMut(u32, Counts<'a>)) {
        for block in 0..self.blocks() {
            self.block(block, |item, counts| {
                each(item, counts);
                true
            });
        }
    }

    /// The postings of some items, which rise.
    pub fn of_items(&self, items: &[u32], mut each: impl FnMut(usize, Counts<'a>)) {
        let mut next = 0;
        while let Some(&wanted) = items.get(next) {
            let block = self.block_of(wanted);
            // Items before the block's first are in none.
            let from = next;
            self.block(block, |item, counts| {
                while items.get(next).is_some_and(|&wanted| wanted < item) {
                    next += 1;
                }
                if items.get(next) == Some(&item) {
                    each(next, counts);
                    next += 1;
                }
                next < items.len()
            });
            if next == from {
                next += 1;
            }
            let end = match block + 1 < self.blocks() {
                true => self.entry(block + 1).0,
                false => return,
            };
            while items.get(next).is_some_and(|&wanted| wanted < end) {
                next += 1;
            }
        }
    }

    /// The last block whose first item is this one or before it.
    fn block_of(&self, item: u32) -> usize {
        let (mut low, mut high) = (0, self.blocks());
        while high - low > 1 {
            let middle = (low + high) / 2;
            if self.entry(middle).0 <= item {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }
}

fn end_of_counts(bytes: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = bytes.get(at) {
        at += 1 + usize::from(byte & 15 == 0);
        if byte & 0x80 != 0 {
            break;
        }
    }
    at.min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn counts() -> impl Strategy<Value = Vec<(u8, u8)>> {
        let some = proptest::collection::btree_map(0u8..8, 1u8..=255, 1..4);
        prop_oneof![
            3 => Just(vec![(0, 1)]),
            1 => some.prop_map(|counts| counts.into_iter().collect()),
        ]
    }

    fn read(counts: Counts<'_>) -> Vec<(u8, u8)> {
        let mut found = Vec::new();
        counts.each(|field, count| found.push((field as u8, count as u8)));
        found
    }

    proptest! {
        #[test]
        fn postings_come_back(
            postings in proptest::collection::btree_map(0u16..3000, counts(), 0..600),
            wanted in proptest::collection::btree_set(0u32..3000, 0..60),
        ) {
            let written: Vec<Written> = postings.clone().into_iter().collect();
            let bytes = write(&written);
            let list = List::new(&bytes);
            prop_assert_eq!(list.len(), written.len());
            let mut all = Vec::new();
            list.each(|item, counts| all.push((item as u16, read(counts))));
            prop_assert_eq!(&all, &written);

            let wanted: Vec<u32> = wanted.into_iter().collect();
            let mut found = BTreeMap::new();
            list.of_items(&wanted, |place, counts| {
                found.insert(wanted[place] as u16, read(counts));
            });
            let expected: BTreeMap<u16, Vec<(u8, u8)>> = postings
                .into_iter()
                .filter(|(item, _)| wanted.contains(&u32::from(*item)))
                .collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn any_bytes_are_a_list_that_ends(bytes: Vec<u8>, wanted in proptest::collection::btree_set(0u32..70_000, 0..20)) {
            let list = List::new(&bytes);
            list.each(|_, counts| counts.each(|field, _| assert!(field < MAX_FIELDS)));
            let wanted: Vec<u32> = wanted.into_iter().collect();
            list.of_items(&wanted, |place, _| assert!(place < wanted.len()));
        }
    }
}
