//! A part of a catalog, read in place.

use std::ops::Range;

use nearshelf_container::{Absent, Error, FileKind, Head, Kind, Result, Storage, wire};
use serde::{Deserialize, Serialize};

use crate::codes::{Codes, Precision, Query, padded, row_bytes};
use crate::links::{LinkRows, LinkSections};
use crate::slices::Slice;

/// Items that a shard can hold: their places in it are 16 bits wide.
pub const MAX_ITEMS: usize = u16::MAX as usize;
/// Components that a vector may have at most: twice those of the largest sentence encoders.
pub(crate) const MAX_DIMS: u32 = 8192;

/// Coarse codes, for walks, two codes a byte, `u8 [items][row]`: see [`crate::kernel::DotRows`].
pub(crate) const CODES: Kind = Kind::new(b"CODE");
/// Residuals, for final scores, `u8 [items][padded · bits / 8]`.
pub(crate) const RESIDUALS: Kind = Kind::new(b"RESI");

/// The record in a shard's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Items in the shard.
    pub items: u32,
    /// Components of a vector.
    pub dims: u32,
    /// Bits of a residual.
    pub residual_bits: u32,
    /// Walks may start from this many items, spread evenly.
    pub entries: u32,
}

/// A part of a catalog, read in place from a file's bytes.
#[derive(Debug)]
pub struct Shard<S> {
    storage: S,
    head: Head,
    record: Record,
    precision: Precision,
    links: LinkSections,
    back: Option<LinkSections>,
    codes: Range<usize>,
    residuals: Range<usize>,
}

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
        let bits = record.residual_bits;
        let precision = Precision::of_bits(bits).ok_or_else(|| Error::Unknown {
            place: "record, residual bits".into(),
            expected: "2 to 5".into(),
            found: bits.to_string(),
        })?;
        let residual_bytes = padded(dims) as u64 / 8 * u64::from(bits);
        Ok(Shard {
            links: LinkSections::open(&head, items, 0)?,
            back: LinkSections::find(&head, items, 1)?,
            codes: head.sized(CODES, 0, items as u64 * row_bytes(dims) as u64)?,
            residuals: head.sized(RESIDUALS, 0, items as u64 * residual_bytes)?,
            storage,
            head,
            record,
            precision,
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

    /// The precision that its vectors are stored with.
    pub fn precision(&self) -> Precision {
        self.precision
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

    /// Reads every byte: checksums, digests, padding, and that the links of all items follow each other.
    ///
    /// # Errors
    /// The first place that is not as it was written.
    pub fn verify(&self) -> Result<()> {
        self.head.verify(&self.storage)?;
        self.links.verify(&self.storage)?;
        let back = self.back.as_ref();
        back.map_or(Ok(()), |back| back.verify(&self.storage))
    }

    /// Bytes from the file's start to the last block that holds something before links and codes: with so many, all that is
    /// not the vectors' can be read.
    pub fn front(&self) -> usize {
        let body = self.head.body();
        self.head.blocks_of(&(body..self.links.start())).end
    }

    /// The range that searches read whole: links and the codes that walks compare. What is not in it is read
    /// by item.
    pub fn search_part(&self) -> Range<usize> {
        self.links.start()..self.codes.end
    }

    /// Links and codes, as a slice of the shelf's graph.
    ///
    /// # Errors
    /// Links or codes are not here.
    pub fn slice(&self) -> Result<Slice<'_>, Absent> {
        Ok(Slice {
            dims: self.dims(),
            codes: self.storage.read(self.codes.clone())?,
            links: self.links.rows(&self.storage)?,
            items: self.len(),
            entries: self.record.entries as usize,
        })
    }

    /// The links of all items.
    ///
    /// # Errors
    /// They are not here.
    pub fn links(&self) -> Result<LinkRows<'_>, Absent> {
        self.links.rows(&self.storage)
    }

    /// For each item those of earlier shards that are to lead to it; `None` where the shard was not added to others.
    ///
    /// # Errors
    /// They are not here.
    pub fn back_links(&self) -> Result<Option<LinkRows<'_>>, Absent> {
        let back = self.back.as_ref();
        back.map(|back| back.rows(&self.storage)).transpose()
    }

    /// The codes of an item. `None` past the last item.
    ///
    /// # Errors
    /// They are not here.
    pub fn codes(&self, item: usize) -> Result<Option<Codes<'_>>, Absent> {
        if item >= self.len() {
            return Ok(None);
        }
        let row = |section: &Range<usize>| {
            let width = section.len() / self.len();
            let start = section.start + item * width;
            self.storage.read(start..start + width)
        };
        Ok(Some(Codes {
            coarse: row(&self.codes)?,
            residuals: row(&self.residuals)?,
        }))
    }

    /// The final score of an item: ⟨query, vector⟩ with all of its codes. `None` past the last item.
    ///
    /// # Errors
    /// The item's codes are not here.
    pub fn score(&self, query: &Query, item: usize) -> Result<Option<f32>, Absent> {
        let codes = self.codes(item)?;
        Ok(codes.map(|codes| query.score(codes, self.precision)))
    }

    /// Asks for the memory that an item's final score reads.
    pub fn prefetch_score(&self, item: usize) {
        if let Ok(Some(codes)) = self.codes(item) {
            crate::kernel::prefetch(codes.residuals);
        }
    }

    /// The vector of an item as its codes have it, `[dims]`. `None` past the last item.
    ///
    /// # Errors
    /// The item's codes are not here.
    pub fn vector(&self, item: usize) -> Result<Option<Vec<f32>>, Absent> {
        let codes = self.codes(item)?;
        Ok(codes.map(|codes| codes.decode(self.precision, self.dims())))
    }
}

pub(crate) fn check_entries(place: &str, entries: usize, items: usize) -> Result<()> {
    if entries > items || (entries == 0 && items > 0) {
        return Err(Error::value(
            place,
            format!("1 to {items} entry nodes"),
            entries,
        ));
    }
    Ok(())
}
