use std::io::{self, Write};
use std::ops::Range;

use crate::error::{Error, Result};
use crate::format::{Kind, SectionWriter, Sections, u32_at};
use crate::graph::{DEGREE_UPPER, DEGREE_ZERO, Graph, MAX_ITEMS, check_links};
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
    upper: Vec<UpperLayer>,
}

#[derive(Debug, Clone)]
struct UpperLayer {
    nodes: usize,
    links: Range<usize>,
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
        let (steps, links) = (sized(Kind::STEPS, 4)?, sized(Kind::LINKS, 2 * DEGREE_ZERO)?);

        let levels = sections
            .find(Kind::LEVELS, 0)
            .ok_or(Error::MissingSection { kind: Kind::LEVELS })?;
        let levels = &bytes[levels];
        if levels.len() > 4 * 64 || !levels.len().is_multiple_of(4) {
            return Err(Error::value(
                "section LVLS",
                "at most 64 layers of four bytes",
                levels.len(),
            ));
        }
        let nodes: Vec<usize> = (0..levels.len())
            .step_by(4)
            .filter_map(|at| u32_at(levels, at))
            .map(|n| n as usize)
            .collect();
        if !nodes.is_sorted()
            || nodes.first() == Some(&0)
            || nodes.last().is_some_and(|&n| n > items)
        {
            return Err(Error::value(
                "section LVLS",
                format!("rising counts of nodes in 1 … {items}"),
                format!("{nodes:?}"),
            ));
        }
        let total: usize = nodes.iter().sum();
        let all = sections.sized(Kind::UPPER_LINKS, 0, 2 * (total * DEGREE_UPPER) as u64)?;
        let mut start = all.start;
        let upper = nodes
            .into_iter()
            .map(|nodes| {
                let links = start..start + 2 * nodes * DEGREE_UPPER;
                start = links.end;
                UpperLayer { nodes, links }
            })
            .collect();
        Ok(Shard {
            data,
            stride,
            codes,
            steps,
            residuals,
            links,
            upper,
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
        let check = |links: &Range<usize>, nodes, place: &str| {
            let links: Vec<u16> = bytes[links.clone()]
                .as_chunks()
                .0
                .iter()
                .map(|&b| u16::from_le_bytes(b))
                .collect();
            check_links(&links, nodes, || place.to_owned())
        };
        for layer in &self.upper {
            check(&layer.links, layer.nodes, "section LNKU")?;
        }
        check(&self.links, self.len(), "section LNK0")
    }

    /// The final score of an item: ⟨query, vector⟩ with the residuals. `None` past the last item.
    pub fn score(&self, query: &Query, item: usize) -> Option<f32> {
        let bytes = self.data.as_ref();
        let codes = row(bytes, &self.codes, self.stride, item)?;
        let residuals = row(bytes, &self.residuals, self.stride / 2, item)?;
        Some(query.rescore(codes, residuals, self.step(item)?))
    }

    pub(crate) fn codes(&self, item: usize) -> Option<&[u8]> {
        row(self.data.as_ref(), &self.codes, self.stride, item)
    }

    pub(crate) fn step(&self, item: usize) -> Option<f32> {
        let raw = row(self.data.as_ref(), &self.steps, 4, item)?;
        Some(f32::from_le_bytes([raw[0], raw[1], raw[2], raw[3]]))
    }

    /// Links of a node, in layer 0 (lowest) with `upper` none, else in that upper layer (0 is top).
    pub(crate) fn links(&self, upper: Option<usize>, node: usize) -> &[[u8; 2]] {
        let bytes = self.data.as_ref();
        match upper {
            None => row(bytes, &self.links, 2 * DEGREE_ZERO, node),
            Some(layer) => row(bytes, &self.upper[layer].links, 2 * DEGREE_UPPER, node),
        }
        .map_or(&[], |row| row.as_chunks().0)
    }

    pub(crate) fn upper_layers(&self) -> usize {
        self.upper.len()
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
        let le = |links: &[u16]| {
            links
                .iter()
                .flat_map(|l| l.to_le_bytes())
                .collect::<Vec<u8>>()
        };
        let levels = graph
            .upper
            .iter()
            .flat_map(|l| (l.len() as u32).to_le_bytes())
            .collect();
        let upper = graph
            .upper
            .iter()
            .flat_map(|l| le(l.as_flattened()))
            .collect();

        let mut sections = SectionWriter::new();
        sections.push(Kind::LEVELS, 0, levels);
        sections.push(Kind::UPPER_LINKS, 0, upper);
        sections.push(Kind::LINKS, 0, le(graph.zero.as_flattened()));
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
}
