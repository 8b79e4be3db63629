//! Shards as they are written.

use std::io::{self, Write};

use nearshelf_container::{Error, FileKind, FileWriter, Kind, Result, wire};

use crate::codes::Codes;
use crate::graph::{Graph, LINKS, MAX_ITEMS};
use crate::shard::{MAX_DIMS, Record};

/// Puts a shard together: graph and vectors, then any columns that the caller adds.
#[derive(Debug)]
pub struct ShardBuilder {
    file: FileWriter,
}

impl ShardBuilder {
    /// Lays out vectors and graph.
    ///
    /// # Errors
    /// More than [`MAX_ITEMS`] vectors, vectors of another length than `dims`, or a graph that does not fit them.
    pub fn new<C: Codes>(dims: usize, vectors: &[C::Vector], graph: &Graph) -> Result<Self> {
        if vectors.len() > MAX_ITEMS {
            let expected = format!("at most {MAX_ITEMS} items");
            return Err(Error::value("shard", expected, vectors.len()));
        }
        if dims == 0 || dims > MAX_DIMS as usize {
            let expected = format!("1 to {MAX_DIMS} dimensions");
            return Err(Error::value("shard", expected, dims));
        }
        graph.check(vectors.len())?;
        let record = Record {
            items: vectors.len() as u32,
            dims: dims as u32,
            codes: C::ID,
            entries: graph.entries as u32,
        };
        let mut file = FileWriter::new(FileKind::Shard, wire::encode(&record));
        let links = graph.links.as_flattened().iter();
        file.push(LINKS, 0, links.flat_map(|l| l.to_le_bytes()).collect());
        C::write(dims, vectors, &mut file)?;
        Ok(ShardBuilder { file })
    }

    /// Adds a section of the caller's own.
    pub fn section(&mut self, kind: Kind, index: u32, bytes: Vec<u8>) {
        self.file.push(kind, index, bytes);
    }

    /// Writes the file.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        self.file.write_to(out)
    }

    /// The file in memory.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.file.to_bytes()
    }
}
