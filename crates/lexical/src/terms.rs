//! The terms of a shard: which of the shelf's terms it holds, where their posting lists are, and how much each can add
//! to a score.
//!
//! ```text
//! heads    a block of 64 terms: u32 first term · u32 start of its entries · u32 start of its lists
//! entries  varint(term − the one before) · varint(bytes of its list) · u8 largest share
//! ```
//!
//! The largest share is the most that a posting of the list has of the term's weight, of 255, rounded up.

use crate::varint;

const BLOCK: usize = 64;
const HEAD_BYTES: usize = 12;

/// A term's place in the shelf's dictionary.
pub type TermId = u32;

/// A term's list in a shard.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ListRef {
    /// Its bytes in the section of lists.
    pub start: usize,
    pub end: usize,
    /// The most that a posting has of the term's weight, 0 to 1.
    pub largest: f32,
}

/// The table as it is written.
#[derive(Debug, Default)]
pub(crate) struct TermsWriter {
    pub heads: Vec<u8>,
    pub entries: Vec<u8>,
    terms: usize,
    before: TermId,
    lists: u32,
}

impl TermsWriter {
    /// Adds a term, behind those before it, and its list of `bytes` bytes.
    pub fn push(&mut self, term: TermId, bytes: usize, largest: f32) {
        if self.terms.is_multiple_of(BLOCK) {
            for number in [term, self.entries.len() as u32, self.lists] {
                self.heads.extend_from_slice(&number.to_le_bytes());
            }
            self.before = term;
        }
        varint::put(&mut self.entries, term - self.before);
        varint::put(&mut self.entries, bytes as u32);
        self.entries
            .push((largest * 255.0).ceil().clamp(0.0, 255.0) as u8);
        self.before = term;
        self.lists += bytes as u32;
        self.terms += 1;
    }
}

/// The table, read in place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub heads: &'a [u8],
    pub entries: &'a [u8],
}

impl Terms<'_> {
    /// The list of a term; `None` where the shard does not hold it.
    pub fn find(&self, wanted: TermId) -> Option<ListRef> {
        let (mut low, mut high) = (0, self.heads.len() / HEAD_BYTES);
        while high - low > 1 {
            let middle = (low + high) / 2;
            if self.head(middle)?.0 <= wanted {
                low = middle;
            } else {
                high = middle;
            }
        }
        let (mut term, at, start) = self.head(low)?;
        let (mut at, mut start) = (at as usize, start as usize);
        for _ in 0..BLOCK {
            term = term.checked_add(varint::take(self.entries, &mut at)?)?;
            let end = start + varint::take(self.entries, &mut at)? as usize;
            let largest = f32::from(*self.entries.get(at)?) / 255.0;
            at += 1;
            match term.cmp(&wanted) {
                std::cmp::Ordering::Less => start = end,
                #[rustfmt::skip]
                std::cmp::Ordering::Equal => return Some(ListRef { start, end, largest }),
                std::cmp::Ordering::Greater => return None,
            }
        }
        None
    }

    fn head(&self, block: usize) -> Option<(TermId, u32, u32)> {
        let head = self.heads.get(block * HEAD_BYTES..)?;
        let [a, b, c] = *head.as_chunks::<4>().0.first_chunk::<3>()?;
        let number = u32::from_le_bytes;
        Some((number(a), number(b), number(c)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn terms_are_found_where_they_were_put(
            terms in proptest::collection::btree_map(0u32..5000, (0usize..400, 0f32..=1.0), 0..400),
            others in proptest::collection::vec(0u32..6000, 20),
        ) {
            let mut writer = TermsWriter::default();
            let mut start = 0;
            for (&term, &(bytes, largest)) in &terms {
                writer.push(term, bytes, largest);
            }
            let table = Terms { heads: &writer.heads, entries: &writer.entries };
            for (&term, &(bytes, largest)) in &terms {
                let found = table.find(term).unwrap();
                prop_assert_eq!((found.start, found.end), (start, start + bytes));
                prop_assert!(found.largest >= largest && found.largest < largest + 0.01);
                start += bytes;
            }
            for term in others {
                prop_assert_eq!(table.find(term).is_some(), terms.contains_key(&term));
            }
        }

        #[test]
        fn any_bytes_are_a_table(heads: Vec<u8>, entries: Vec<u8>, term: u32) {
            let _ = Terms { heads: &heads, entries: &entries }.find(term);
        }
    }
}
