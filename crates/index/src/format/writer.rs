use std::io::{self, Write};

use super::reader::header_checksum;
use super::{ALIGNMENT, ENTRY_BYTES, HEADER_BYTES, Kind, MAGIC, VERSION, checksum};

/// Collects sections and writes them with header and table in front.
#[derive(Debug, Default)]
pub struct SectionWriter {
    sections: Vec<(Kind, u32, Vec<u8>)>,
}

impl SectionWriter {
    /// A file without sections.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a section. Sections stand in the file in the order of these calls.
    pub fn push(&mut self, kind: Kind, index: u32, bytes: Vec<u8>) {
        self.sections.push((kind, index, bytes));
    }

    /// Writes the file for `items` vectors of `dims` components.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_to(&self, items: u32, dims: u32, out: &mut impl Write) -> io::Result<()> {
        let mut table = Vec::with_capacity(self.sections.len() * ENTRY_BYTES);
        let mut end = HEADER_BYTES + self.sections.len() * ENTRY_BYTES;
        for (kind, index, bytes) in &self.sections {
            let start = end.next_multiple_of(ALIGNMENT);
            table.extend_from_slice(&kind.0.to_le_bytes());
            table.extend_from_slice(&index.to_le_bytes());
            table.extend_from_slice(&(start as u64).to_le_bytes());
            table.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            table.extend_from_slice(&checksum(bytes).to_le_bytes());
            end = start + bytes.len();
        }

        let mut header = [0; HEADER_BYTES];
        header[..8].copy_from_slice(&MAGIC);
        header[8..12].copy_from_slice(&VERSION.to_le_bytes());
        // The oldest reader that understands this file; raised only by changes that break readers.
        header[12..16].copy_from_slice(&1u32.to_le_bytes());
        header[16..24].copy_from_slice(&(end as u64).to_le_bytes());
        header[24..28].copy_from_slice(&items.to_le_bytes());
        header[28..32].copy_from_slice(&dims.to_le_bytes());
        header[32..36].copy_from_slice(&(self.sections.len() as u32).to_le_bytes());
        let sum = header_checksum(&header, &table);
        header[40..48].copy_from_slice(&sum.to_le_bytes());

        out.write_all(&header)?;
        out.write_all(&table)?;
        let mut end = HEADER_BYTES + table.len();
        for (_, _, bytes) in &self.sections {
            let padding = end.next_multiple_of(ALIGNMENT) - end;
            out.write_all(&[0; ALIGNMENT][..padding])?;
            out.write_all(bytes)?;
            end += padding + bytes.len();
        }
        Ok(())
    }
}
