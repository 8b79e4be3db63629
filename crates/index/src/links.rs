//! The links of a shard's items, to items of any shard of the shelf.
//!
//! | section | holds | layout |
//! | --- | --- | --- |
//! | `LBAS` | links before each block of 64 items | `u32 [items div 64 + 1]` |
//! | `LPOS` | links before each item, from the start of its block | `u16 [items + 1]` |
//! | `LINK` | the numbers that items are linked to, item after item | `u24 [links]` |
//!
//! Index 0 holds the links of the shard's items. Index 1, in a shard that was added to a shelf, holds for each item those of
//! earlier shards that are to lead to it.

use std::ops::Range;

use nearshelf_container::{Absent, Error, Head, Kind, Result, Storage};

use crate::numbering::MAX_NUMBERS;

const BASES: Kind = Kind::new(b"LBAS");
const POSITIONS: Kind = Kind::new(b"LPOS");
const LINKS: Kind = Kind::new(b"LINK");

/// Items whose positions have one base.
const BLOCK: usize = 64;
/// Links that an item may have at most.
pub const MAX_LINKS: usize = 64;

/// Links of items as they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    bases: Vec<[u8; 4]>,
    positions: Vec<[u8; 2]>,
    links: Vec<[u8; 3]>,
}

impl Links {
    /// Packs the links of each item, in the order of items.
    ///
    /// # Errors
    /// An item with more than [`MAX_LINKS`] links, or one to a number that 24 bits do not hold.
    pub fn new<'a>(items: impl IntoIterator<Item = &'a [u32]>) -> Result<Self> {
        let mut packed = Links::default();
        for (item, links) in items.into_iter().enumerate() {
            packed.place(item);
            if links.len() > MAX_LINKS {
                let expected = format!("{MAX_LINKS} links at most");
                return Err(Error::value(format!("item {item}"), expected, links.len()));
            }
            for &link in links {
                if link >= MAX_NUMBERS {
                    let expected = format!("links to numbers below {MAX_NUMBERS}");
                    return Err(Error::value(format!("item {item}"), expected, link));
                }
                let [a, b, c, _] = link.to_le_bytes();
                packed.links.push([a, b, c]);
            }
        }
        packed.place(packed.positions.len());
        Ok(packed)
    }

    /// Notes where the links of an item begin.
    fn place(&mut self, item: usize) {
        if item.is_multiple_of(BLOCK) {
            self.bases.push((self.links.len() as u32).to_le_bytes());
        }
        let base = self
            .bases
            .last()
            .map_or(0, |&base| u32::from_le_bytes(base));
        // 64 items of 64 links at most.
        let position = (self.links.len() as u32 - base) as u16;
        self.positions.push(position.to_le_bytes());
    }

    /// Items.
    pub fn len(&self) -> usize {
        self.positions.len().saturating_sub(1)
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The links, to be read.
    pub fn rows(&self) -> LinkRows<'_> {
        LinkRows {
            bases: &self.bases,
            positions: &self.positions,
            links: &self.links,
        }
    }

    /// The links as sections of a file.
    pub(crate) fn sections(&self, index: u32) -> [(Kind, u32, Vec<u8>); 3] {
        [
            (BASES, index, self.bases.as_flattened().to_vec()),
            (POSITIONS, index, self.positions.as_flattened().to_vec()),
            (LINKS, index, self.links.as_flattened().to_vec()),
        ]
    }
}

/// Links, read in place.
#[derive(Debug, Clone, Copy)]
pub struct LinkRows<'a> {
    bases: &'a [[u8; 4]],
    positions: &'a [[u8; 2]],
    links: &'a [[u8; 3]],
}

impl<'a> LinkRows<'a> {
    /// The links of an item, at most [`MAX_LINKS`] of them; none past the last item.
    #[inline]
    pub fn of(&self, item: usize) -> &'a [[u8; 3]] {
        let (Some(start), Some(end)) = (self.start(item), self.start(item + 1)) else {
            return &[];
        };
        let end = end.min(start.saturating_add(MAX_LINKS));
        self.links.get(start..end).unwrap_or_default()
    }

    /// The links of an item as numbers.
    pub fn numbers(&self, item: usize) -> impl ExactSizeIterator<Item = u32> + use<'a> {
        self.of(item).iter().map(|&link| number(link))
    }

    /// Asks for the cache line of an item's first links.
    #[inline(always)]
    pub(crate) fn prefetch(&self, item: usize) {
        if let Some(start) = self.start(item)
            && let Some(links) = self.links.get(start..start + 1)
        {
            crate::kernel::prefetch(links.as_flattened());
        }
    }

    #[inline(always)]
    fn start(&self, item: usize) -> Option<usize> {
        let base = u32::from_le_bytes(*self.bases.get(item / BLOCK)?);
        let position = u16::from_le_bytes(*self.positions.get(item)?);
        Some(base as usize + usize::from(position))
    }
}

/// A link as the number that it stands for.
#[inline(always)]
pub(crate) fn number([a, b, c]: [u8; 3]) -> u32 {
    u32::from_le_bytes([a, b, c, 0])
}

/// The sections of the links in a shard.
#[derive(Debug)]
pub(crate) struct LinkSections {
    index: u32,
    items: usize,
    bases: Range<usize>,
    positions: Range<usize>,
    links: Range<usize>,
}

impl LinkSections {
    /// Finds the links of this index; `None` where the file has none.
    pub fn find(head: &Head, items: usize, index: u32) -> Result<Option<Self>> {
        let there = head.find(LINKS, index).is_some();
        there.then(|| Self::open(head, items, index)).transpose()
    }

    pub fn open(head: &Head, items: usize, index: u32) -> Result<Self> {
        let links = head.need(LINKS, index)?;
        if !links.len().is_multiple_of(3) || links.len() / 3 > items * MAX_LINKS {
            let expected = format!("3 bytes a link, {} links at most", items * MAX_LINKS);
            let place = format!("section LINK {index}");
            return Err(Error::value(place, expected, links.len()));
        }
        Ok(LinkSections {
            index,
            items,
            bases: head.sized(BASES, index, (items as u64 / BLOCK as u64 + 1) * 4)?,
            positions: head.sized(POSITIONS, index, (items as u64 + 1) * 2)?,
            links,
        })
    }

    pub fn start(&self) -> usize {
        self.bases
            .start
            .min(self.positions.start)
            .min(self.links.start)
    }

    pub fn rows<'a, S: Storage>(&self, storage: &'a S) -> Result<LinkRows<'a>, Absent> {
        Ok(LinkRows {
            bases: storage.read(self.bases.clone())?.as_chunks().0,
            positions: storage.read(self.positions.clone())?.as_chunks().0,
            links: storage.read(self.links.clone())?.as_chunks().0,
        })
    }

    /// Checks that the links of all items follow each other and are all there is.
    pub fn verify<S: Storage>(&self, storage: &S) -> Result<()> {
        let rows = self.rows(storage)?;
        let mut next = 0;
        for item in 0..=self.items {
            let start = rows.start(item).unwrap_or(usize::MAX);
            if start < next || start > next + MAX_LINKS || (item == 0 && start > 0) {
                let expected = format!("a place from {next} to {}", next + MAX_LINKS);
                return Err(Error::value(
                    format!("section LPOS {}, item {item}", self.index),
                    expected,
                    start,
                ));
            }
            next = start;
        }
        if next != rows.links.len() {
            return Err(Error::value(
                format!("section LPOS {}, end", self.index),
                rows.links.len().to_string(),
                next,
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn links_come_back(
            items in prop::collection::vec(prop::collection::vec(0..MAX_NUMBERS, 0..=MAX_LINKS), 0..200)
        ) {
            let packed = Links::new(items.iter().map(Vec::as_slice)).unwrap();
            prop_assert_eq!(packed.len(), items.len());
            for (item, links) in items.iter().enumerate() {
                let read: Vec<u32> = packed.rows().numbers(item).collect();
                prop_assert_eq!(&read, links);
            }
            prop_assert!(packed.rows().of(items.len()).is_empty());
        }
    }

    #[test]
    fn too_many_links_or_too_far_are_errors() {
        assert!(Links::new([&[0; MAX_LINKS + 1][..]]).is_err());
        assert!(Links::new([&[MAX_NUMBERS][..]]).is_err());
    }
}
