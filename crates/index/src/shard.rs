//! A part of a catalog, read in place.

use std::ops::Range;

use nearshelf_container::{Absent, Error, FileKind, Head, Kind, Result, Storage, wire};
use serde::{Deserialize, Serialize};

use crate::codes::{Codes, Layout, Query};
use crate::graph::{DEGREE, LINKS, MAX_ITEMS, check_entries, check_links};

/// Components that a vector may have at most: twice those of the largest sentence encoders.
pub(crate) const MAX_DIMS: u32 = 8192;

/// The record in a shard's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Items in the shard.
    pub items: u32,
    /// Components of a vector.
    pub dims: u32,
    /// The layout of the codes.
    pub codes: u32,
    /// Walks start from the best of this many first nodes.
    pub entries: u32,
}

/// A part of a catalog, read in place from a file's bytes.
#[derive(Debug)]
pub struct Shard<S> {
    storage: S,
    head: Head,
    record: Record,
    links: Range<usize>,
    layout: Layout,
}

/// Links of all nodes, as little-endian u16.
pub(crate) type LinkRows = [[[u8; 2]; DEGREE]];

impl<S: Storage> Shard<S> {
    /// Opens a shard: reads the head and checks that every section lies inside the file and has the size that
    /// the record asks for. O(sections + blocks).
    ///
    /// # Errors
    /// Anything in the head that is not as the format says. Damage inside a section is found by
    /// [`Shard::verify`]; until then it can make results wrong, and nothing worse.
    pub fn open(storage: S) -> Result<Self> {
        let head = Head::read(FileKind::Shard, &storage)?;
        let record: Record = wire::decode("record", head.meta())?;
        let (items, dims) = (record.items as usize, record.dims as usize);
        if items > MAX_ITEMS {
            let expected = format!("at most {MAX_ITEMS} items");
            return Err(Error::value("record, items", expected, items));
        }
        if dims == 0 || record.dims > MAX_DIMS {
            let expected = format!("1 to {MAX_DIMS} dimensions");
            return Err(Error::value("record, dims", expected, dims));
        }
        check_entries("record, entries", record.entries as usize, items)?;
        let links = head.sized(LINKS, 0, items as u64 * 2 * DEGREE as u64)?;
        let layout = Layout::open(record.codes, &head, items, dims)?;
        Ok(Shard {
            storage,
            head,
            record,
            links,
            layout,
        })
    }

    /// Items in the shard.
    pub fn len(&self) -> usize {
        self.record.items as usize
    }

    /// Whether the shard holds nothing.
    pub fn is_empty(&self) -> bool {
        self.record.items == 0
    }

    /// Components of a vector.
    pub fn dims(&self) -> usize {
        self.record.dims as usize
    }

    /// The name of the layout that its vectors are in.
    pub fn codes(&self) -> &'static str {
        match &self.layout {
            Layout::SevenFour(_) => crate::codes::SevenFour::NAME,
        }
    }

    /// The file's head.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Where the shard's bytes are.
    pub fn storage(&self) -> &S {
        &self.storage
    }

    /// Where the shard's bytes are, to add ranges to it.
    pub fn storage_mut(&mut self) -> &mut S {
        &mut self.storage
    }

    /// The bytes of a section that this crate does not know, such as a column of item fields. `None` where the
    /// shard has no such section.
    ///
    /// # Errors
    /// The section is not here.
    pub fn section(&self, kind: Kind, index: u32) -> Result<Option<&[u8]>, Absent> {
        let range = self.head.find(kind, index);
        range.map(|range| self.storage.read(range)).transpose()
    }

    /// A part of such a section, by bytes from its start. `None` where the section has no such bytes.
    ///
    /// # Errors
    /// The part is not here.
    pub fn part(
        &self,
        kind: Kind,
        index: u32,
        part: Range<usize>,
    ) -> Result<Option<&[u8]>, Absent> {
        let Some(section) = self.head.find(kind, index) else {
            return Ok(None);
        };
        if part.start > part.end || part.end > section.len() {
            return Ok(None);
        }
        let range = section.start + part.start..section.start + part.end;
        self.storage.read(range).map(Some)
    }

    /// Reads every byte: checksums, digests, padding, and that every link leads to a node.
    ///
    /// # Errors
    /// The first place that is not as it was written.
    pub fn verify(&self) -> Result<()> {
        self.head.verify(&self.storage)?;
        let links = self.links()?.as_flattened().iter();
        let links = links.map(|&link| u16::from_le_bytes(link));
        check_links("section LNK0", links, self.len())
    }

    /// The range that searches read whole: links and the codes that walks compare. Everything behind it is read
    /// by item.
    pub fn search_part(&self) -> Range<usize> {
        let Layout::SevenFour(codes) = &self.layout;
        self.links.start..codes.walked_end()
    }

    /// The final score of an item: ⟨query, vector⟩ with all of its codes. `None` past the last item.
    ///
    /// # Errors
    /// The item's codes are not here.
    pub fn score(&self, query: &Query, item: usize) -> Result<Option<f32>, Absent> {
        let Layout::SevenFour(codes) = &self.layout;
        codes.score(&self.storage, query.seven_four(), item)
    }

    /// The vector of an item as its codes have it, `[dims]`. `None` past the last item.
    ///
    /// # Errors
    /// The item's codes are not here.
    pub fn vector(&self, item: usize) -> Result<Option<Vec<f32>>, Absent> {
        let Layout::SevenFour(codes) = &self.layout;
        codes.decode(&self.storage, item)
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) fn links(&self) -> Result<&LinkRows, Absent> {
        let bytes = self.storage.read(self.links.clone())?;
        Ok(bytes.as_chunks().0.as_chunks().0)
    }

    pub(crate) fn entries(&self) -> usize {
        self.record.entries as usize
    }
}
