//! Shards as they are written.

use nearshelf_container::{Error, FileKind, FileWriter, Kind, Result, wire};

use crate::codes::CodedVectors;
use crate::links::Links;
use crate::shard::{CODES, MAX_DIMS, MAX_ITEMS, RESIDUALS, Record, check_entries};

/// Puts a shard together: columns that the caller adds, then links and vectors.
#[derive(Debug)]
pub struct ShardBuilder {
    /// The head and the caller's columns.
    file: FileWriter,
    /// Links and vectors, which stand behind them.
    graph: Vec<(Kind, u32, Vec<u8>)>,
}

impl ShardBuilder {
    /// Lays out vectors and links. Walks start from `entries` of the items. A shard that is added to a shelf has `back` links:
    /// for each item, those of earlier shards that are to lead to it.
    ///
    /// # Errors
    /// More than [`MAX_ITEMS`] vectors, dimensions out of range, links or entries that do not fit them.
    pub fn new(
        vectors: &CodedVectors,
        links: &Links,
        back: Option<&Links>,
        entries: usize,
    ) -> Result<Self> {
        let (items, dims) = (vectors.len(), vectors.dims());
        if items > MAX_ITEMS {
            let expected = format!("at most {MAX_ITEMS} items");
            return Err(Error::value("shard", expected, items));
        }
        if dims == 0 || dims > MAX_DIMS as usize {
            let expected = format!("1 to {MAX_DIMS} dimensions");
            return Err(Error::value("shard", expected, dims));
        }
        let lengths = [Some(links), back].into_iter().flatten().map(Links::len);
        if let Some(found) = lengths.into_iter().find(|&found| found != items) {
            let expected = format!("links of {items} items");
            return Err(Error::value("shard", expected, found));
        }
        check_entries("shard", entries, items)?;
        let record = Record {
            items: items as u32,
            dims: dims as u32,
            residual_bits: vectors.precision().residual_bits(),
            entries: entries as u32,
        };
        let mut graph = Vec::from(links.sections(0));
        if let Some(back) = back {
            graph.extend(back.sections(1));
        }
        graph.push((CODES, 0, vectors.coarse().to_vec()));
        graph.push((RESIDUALS, 0, vectors.residuals().to_vec()));
        Ok(ShardBuilder {
            file: FileWriter::new(FileKind::Shard, wire::encode(&record)),
            graph,
        })
    }

    /// Adds a section of the caller's own.
    pub fn section(&mut self, kind: Kind, index: u32, bytes: Vec<u8>) {
        self.file.push(kind, index, bytes);
    }

    /// The file in memory.
    pub fn to_bytes(mut self) -> Vec<u8> {
        for (kind, index, bytes) in self.graph {
            self.file.push(kind, index, bytes);
        }
        self.file.to_bytes()
    }
}
