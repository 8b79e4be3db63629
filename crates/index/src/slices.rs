//! Shards as slices of one graph: what a search goes through.

use crate::added::Added;
use crate::codes::row_bytes;
use crate::links::LinkRows;
use crate::numbering::Numbering;

/// The part of a shard that searches read.
#[derive(Debug, Clone, Copy)]
pub struct Slice<'a> {
    /// Components of a vector.
    pub dims: usize,
    /// Coarse codes, `[items][row_bytes(dims)]`.
    pub codes: &'a [u8],
    /// The links of each item.
    pub links: LinkRows<'a>,
    /// Items in the shard.
    pub items: usize,
    /// Items that walks may start from: this many, spread evenly over the shard's order.
    pub entries: usize,
}

impl Slice<'_> {
    /// The items that walks may start from.
    pub fn entries(&self) -> impl Iterator<Item = u32> + use<> {
        let (entries, items) = (self.entries.min(self.items), self.items);
        (0..entries).map(move |entry| ((2 * entry + 1) * items / (2 * entries)) as u32)
    }
}

/// The slices that a search goes through. Links that lead elsewhere are passed over.
#[derive(Debug)]
pub struct Slices<'a> {
    pub(crate) numbering: &'a Numbering,
    slices: Vec<Option<Slice<'a>>>,
    pub(crate) added: Option<&'a Added>,
    dims: usize,
}

impl<'a> Slices<'a> {
    /// None of the shards yet. A slice of other dimensions than `dims` is not searched.
    pub fn new(numbering: &'a Numbering, dims: usize) -> Self {
        Slices {
            numbering,
            slices: Vec::new(),
            added: None,
            dims,
        }
    }

    /// Has links to items of shards that were added later, besides those of the slices.
    #[must_use]
    pub fn with_added(self, added: Option<&'a Added>) -> Self {
        Slices { added, ..self }
    }

    /// Adds shard number `shard`.
    pub fn add(&mut self, shard: usize, slice: Slice<'a>) {
        if slice.dims != self.dims {
            return;
        }
        if self.slices.len() <= shard {
            self.slices.resize(shard + 1, None);
        }
        self.slices[shard] = Some(slice);
    }

    /// Components of a vector.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// Items of all slices.
    pub fn items(&self) -> usize {
        self.iter().map(|(_, slice)| slice.items).sum()
    }

    /// The slices with their shards' numbers.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Slice<'a>)> {
        let slices = self.slices.iter().enumerate();
        slices.filter_map(|(shard, slice)| Some((shard, slice.as_ref()?)))
    }

    /// The numbers that an item is linked to, those of items that were added among them.
    pub fn links(&self, number: u32) -> impl Iterator<Item = u32> + '_ {
        let place = self.find(number);
        let own = place.map(|(slice, _, item)| slice.links.numbers(item as usize));
        let added = self.added.map_or(&[][..], |added| added.of(number));
        own.into_iter().flatten().chain(added.iter().copied())
    }

    /// The slice and the place in it of a number.
    #[inline(always)]
    pub(crate) fn find(&self, number: u32) -> Option<(&Slice<'a>, usize, u32)> {
        let (shard, item) = self.numbering.place(number)?;
        let slice = self.slices.get(shard)?.as_ref()?;
        Some((slice, shard, item))
    }

    /// The codes of an item.
    #[inline(always)]
    pub(crate) fn row(&self, slice: &Slice<'a>, item: u32) -> Option<&'a [u8]> {
        let width = row_bytes(self.dims);
        let start = item as usize * width;
        slice.codes.get(start..start + width)
    }
}
