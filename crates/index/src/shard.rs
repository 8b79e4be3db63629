use std::io::{self, Write};
use std::ops::Range;

use crate::error::{Error, Result};
use crate::format::{Kind, SectionWriter, Sections, u32_at};
use crate::graph::{DEGREE, Graph, MAX_ITEMS, check_entries, check_links};
use crate::vector::{QuantizedVector, Query, stride};

/// Components that a vector may have at most: twice those of the largest sentence encoders.
const MAX_DIMS: u32 = 8192;

/// A part of a catalog, read in place from a file's bytes.
#[derive(Debug)]
pub struct Shard<D> {
    data: D,
    sections: Sections,
    stride: usize,
    codes: Range<usize>,
    steps: Range<usize>,
    residuals: Range<usize>,
    links: Range<usize>,
    entries: usize,
}

impl<D: AsRef<[u8]>> Shard<D> {
    /// Opens a shard: reads the header and the section table and checks that every section lies
    /// inside the file and has the size that the header asks for. O(sections).
    ///
    /// # Errors
    /// Anything in header or table that is not as the format says. Damage inside a section is found
    /// by [`Shard::verify`]; until then it can make results wrong, and nothing worse.
    pub fn open(data: D) -> Result<Self> {
        let bytes = data.as_ref();
        let sections = Sections::open(bytes)?;
        let items = sections.items as usize;
        if items > MAX_ITEMS {
            return Err(Error::value(
                "header, byte 24",
                format!("at most {MAX_ITEMS} items"),
                items,
            ));
        }
        if sections.dims == 0 || sections.dims > MAX_DIMS {
            return Err(Error::value(
                "header, byte 28",
                format!("1 to {MAX_DIMS} dimensions"),
                sections.dims,
            ));
        }
        let stride = stride(sections.dims as usize);
        let sized = |kind, each: usize| sections.sized(kind, 0, items as u64 * each as u64);
        let (codes, residuals) = (
            sized(Kind::CODES, stride)?,
            sized(Kind::RESIDUALS, stride / 2)?,
        );
        let (steps, links) = (sized(Kind::STEPS, 4)?, sized(Kind::LINKS, 2 * DEGREE)?);

        let entries = sections.sized(Kind::ENTRIES, 0, 4)?;
        let entries = u32_at(bytes, entries.start).unwrap_or_default() as usize;
        check_entries("section ENTR", entries, items)?;
        Ok(Shard {
            data,
            stride,
            codes,
            steps,
            residuals,
            links,
            entries,
            sections,
        })
    }

    /// Items in the shard.
    pub fn len(&self) -> usize {
        self.sections.items as usize
    }

    /// Whether the shard holds nothing.
    pub fn is_empty(&self) -> bool {
        self.sections.items == 0
    }

    /// Components of a vector.
    pub fn dims(&self) -> usize {
        self.sections.dims as usize
    }

    /// The header's fields and the section table.
    pub fn sections(&self) -> &Sections {
        &self.sections
    }

    /// All of the shard's bytes.
    pub fn bytes(&self) -> &[u8] {
        self.data.as_ref()
    }

    /// The bytes of a section that this crate does not know, say a column of item fields.
    pub fn section(&self, kind: Kind, index: u32) -> Option<&[u8]> {
        self.sections
            .find(kind, index)
            .map(|range| &self.data.as_ref()[range])
    }

    /// Reads every byte: checksums, padding, and that every link leads to a node.
    ///
    /// # Errors
    /// The first place that is not as it was written.
    pub fn verify(&self) -> Result<()> {
        let bytes = self.data.as_ref();
        self.sections.verify(bytes)?;
        let links = bytes[self.links.clone()]
            .as_chunks()
            .0
            .iter()
            .map(|&b| u16::from_le_bytes(b));
        check_links("section LNK0", links, self.len())
    }

    /// The final score of an item: ⟨query, vector⟩ with the residuals. `None` past the last item.
    pub fn score(&self, query: &Query, item: usize) -> Option<f32> {
        let bytes = self.data.as_ref();
        let codes = row(bytes, &self.codes, self.stride, item)?;
        let residuals = row(bytes, &self.residuals, self.stride / 2, item)?;
        let step = f32::from_le_bytes(*self.steps().get(item)?);
        let score = query.rescore(codes, residuals, step);
        // Only damage makes a score that is not a number; it must not come before those that are.
        Some(if score.is_nan() {
            f32::NEG_INFINITY
        } else {
            score
        })
    }

    /// Coarse codes of all items.
    pub(crate) fn codes(&self) -> &[u8] {
        &self.data.as_ref()[self.codes.clone()]
    }

    /// Steps of all items, as little-endian f32.
    pub(crate) fn steps(&self) -> &[[u8; 4]] {
        self.data.as_ref()[self.steps.clone()].as_chunks().0
    }

    /// Links of all items, as little-endian u16.
    pub(crate) fn links(&self) -> &[[[u8; 2]; DEGREE]] {
        self.data.as_ref()[self.links.clone()]
            .as_chunks()
            .0
            .as_chunks()
            .0
    }

    pub(crate) fn entries(&self) -> usize {
        self.entries
    }
}

/// Row `i` of a section with rows of `width` bytes.
fn row<'a>(bytes: &'a [u8], section: &Range<usize>, width: usize, i: usize) -> Option<&'a [u8]> {
    bytes
        .get(section.clone())?
        .get(i.checked_mul(width)?..)?
        .get(..width)
}

/// Puts a shard together: vectors and graph, then whatever columns the caller adds.
#[derive(Debug)]
pub struct ShardBuilder {
    items: u32,
    dims: u32,
    sections: SectionWriter,
}

impl ShardBuilder {
    /// Lays out vectors and graph.
    ///
    /// # Errors
    /// More than [`MAX_ITEMS`] vectors, none, vectors of another length than `dims`, or a graph that
    /// does not fit them.
    pub fn new(dims: usize, vectors: &[QuantizedVector], graph: &Graph) -> Result<Self> {
        if vectors.len() > MAX_ITEMS {
            return Err(Error::value(
                "shard",
                format!("at most {MAX_ITEMS} items"),
                vectors.len(),
            ));
        }
        if dims == 0 || dims > MAX_DIMS as usize {
            return Err(Error::value(
                "shard",
                format!("1 to {MAX_DIMS} dimensions"),
                dims,
            ));
        }
        graph.check(vectors.len())?;
        let stride = stride(dims);
        let mut codes = Vec::with_capacity(vectors.len() * stride);
        let mut residuals = Vec::with_capacity(vectors.len() * stride / 2);
        let mut steps = Vec::with_capacity(vectors.len() * 4);
        for (i, vector) in vectors.iter().enumerate() {
            if vector.codes.len() != stride || vector.residuals.len() != stride / 2 {
                return Err(Error::value(
                    format!("vector {i}"),
                    format!("{stride} codes"),
                    vector.codes.len(),
                ));
            }
            codes.extend_from_slice(&vector.codes);
            residuals.extend_from_slice(&vector.residuals);
            steps.extend_from_slice(&vector.step.to_le_bytes());
        }
        let links = graph
            .links
            .as_flattened()
            .iter()
            .flat_map(|l| l.to_le_bytes())
            .collect();

        let mut sections = SectionWriter::new();
        sections.push(
            Kind::ENTRIES,
            0,
            (graph.entries as u32).to_le_bytes().to_vec(),
        );
        sections.push(Kind::LINKS, 0, links);
        sections.push(Kind::STEPS, 0, steps);
        sections.push(Kind::CODES, 0, codes);
        sections.push(Kind::RESIDUALS, 0, residuals);
        Ok(ShardBuilder {
            items: vectors.len() as u32,
            dims: dims as u32,
            sections,
        })
    }

    /// Adds a section of the caller's own.
    pub fn section(&mut self, kind: Kind, index: u32, bytes: Vec<u8>) {
        self.sections.push(kind, index, bytes);
    }

    /// Writes the file.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        self.sections.write_to(self.items, self.dims, out)
    }

    /// The file in memory.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write_to(&mut bytes).expect("a Vec takes any bytes");
        bytes
    }
}
