use std::ops::Range;

use super::{
    ALIGNMENT, ENTRY_BYTES, HEADER_BYTES, Kind, MAGIC, MAX_SECTIONS, OLDEST_VERSION, VERSION,
    checksum, u32_at, u64_at,
};
use crate::error::{Error, Result};

/// A section's place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What it holds.
    pub kind: Kind,
    /// Which of several of its kind, say the number of a field.
    pub index: u32,
    /// Where its bytes are.
    pub range: Range<usize>,
    /// XXH3-64 of its bytes.
    pub checksum: u64,
}

/// The header and the section table of a shard, checked against the file's length.
#[derive(Debug, Clone)]
pub struct Sections {
    /// Format version that the file was written in.
    pub version: u32,
    /// Items in the shard.
    pub items: u32,
    /// Components of a vector.
    pub dims: u32,
    sections: Vec<Section>,
}

impl Sections {
    /// Reads header and table: O(sections), whatever the size of the file.
    ///
    /// # Errors
    /// Wrong magic, a version out of range, a length other than the file's, a checksum that does not
    /// fit, sections that overlap, leave the file or are not aligned.
    pub fn open(bytes: &[u8]) -> Result<Self> {
        let found = &bytes[..bytes.len().min(MAGIC.len())];
        if found != MAGIC {
            return Err(Error::Magic {
                expected: MAGIC,
                found: found.to_vec(),
            });
        }
        let short = |at: usize| Error::Length {
            expected: at as u64,
            found: bytes.len() as u64,
        };
        let field = |at: usize| u32_at(bytes, at).ok_or_else(|| short(HEADER_BYTES));
        let (version, needed) = (field(8)?, field(12)?);
        if needed > VERSION {
            return Err(Error::TooNew {
                supported: VERSION,
                needed,
                written: version,
            });
        }
        if version < OLDEST_VERSION {
            return Err(Error::TooOld {
                oldest: OLDEST_VERSION,
                found: version,
            });
        }
        let length = u64_at(bytes, 16).ok_or_else(|| short(HEADER_BYTES))?;
        if length != bytes.len() as u64 {
            return Err(Error::Length {
                expected: length,
                found: bytes.len() as u64,
            });
        }
        let (items, dims, count) = (field(24)?, field(28)?, field(32)? as usize);
        if count > MAX_SECTIONS {
            return Err(Error::value(
                "header, byte 32",
                format!("at most {MAX_SECTIONS} sections"),
                count,
            ));
        }
        let table_end = HEADER_BYTES + count * ENTRY_BYTES;
        let table = bytes
            .get(HEADER_BYTES..table_end)
            .ok_or_else(|| short(table_end))?;
        let stored = u64_at(bytes, 40).ok_or_else(|| short(HEADER_BYTES))?;
        let actual = header_checksum(&bytes[..HEADER_BYTES], table);
        if stored != actual {
            return Err(Error::Checksum {
                place: "header and section table".into(),
                expected: stored,
                found: actual,
            });
        }

        let mut sections = Vec::with_capacity(count);
        let mut end = table_end;
        for (i, entry) in table.chunks_exact(ENTRY_BYTES).enumerate() {
            // The table was cut to whole entries, so that every read below is inside.
            let number = |at| u64_at(entry, at).unwrap_or_default();
            let kind = Kind(number(0) as u32);
            let place = || format!("section table, entry {i} ({kind})");
            let (start, len) = (number(8), number(16));
            let range = usize::try_from(start)
                .ok()
                .zip(usize::try_from(len).ok())
                .and_then(|(start, len)| Some(start..start.checked_add(len)?))
                .filter(|range| range.end <= bytes.len())
                .ok_or_else(|| {
                    Error::value(
                        place(),
                        format!("a range inside the file's {} bytes", bytes.len()),
                        format!("{len} bytes from {start}"),
                    )
                })?;
            if !range.start.is_multiple_of(ALIGNMENT) || range.start < end {
                return Err(Error::value(
                    place(),
                    format!("a start at a multiple of {ALIGNMENT}, {end} or later"),
                    range.start,
                ));
            }
            end = range.end;
            sections.push(Section {
                kind,
                index: (number(0) >> 32) as u32,
                range,
                checksum: number(24),
            });
        }
        if bytes.len() != end {
            return Err(Error::value(
                "header, byte 16",
                format!("a file that ends with its last section, at {end}"),
                bytes.len(),
            ));
        }
        Ok(Sections {
            version,
            items,
            dims,
            sections,
        })
    }

    /// The sections, in the order of the file.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Section> {
        self.sections.iter()
    }

    /// The bytes' range of a section, when the file has it.
    pub fn find(&self, kind: Kind, index: u32) -> Option<Range<usize>> {
        self.sections
            .iter()
            .find(|s| s.kind == kind && s.index == index)
            .map(|s| s.range.clone())
    }

    /// The range of a section that must be there and have `expected` bytes.
    ///
    /// # Errors
    /// The section is missing or of another size.
    pub fn sized(&self, kind: Kind, index: u32, expected: u64) -> Result<Range<usize>> {
        let range = self
            .find(kind, index)
            .ok_or(Error::MissingSection { kind })?;
        if range.len() as u64 != expected {
            return Err(Error::value(
                format!("section {kind}"),
                format!("{expected} bytes"),
                range.len(),
            ));
        }
        Ok(range)
    }

    /// Reads every byte: each section against its checksum, each byte between sections against zero.
    ///
    /// # Errors
    /// The first section or gap that is not as it was written.
    pub fn verify(&self, bytes: &[u8]) -> Result<()> {
        let mut end = HEADER_BYTES + self.sections.len() * ENTRY_BYTES;
        for section in &self.sections {
            let gap = bytes.get(end..section.range.start).unwrap_or_default();
            if let Some(at) = gap.iter().position(|&b| b != 0) {
                return Err(Error::value(
                    format!("padding, byte {}", end + at),
                    0,
                    gap[at],
                ));
            }
            let content = bytes.get(section.range.clone()).ok_or(Error::Length {
                expected: section.range.end as u64,
                found: bytes.len() as u64,
            })?;
            let found = checksum(content);
            if found != section.checksum {
                return Err(Error::Checksum {
                    place: format!("section {} {}", section.kind, section.index),
                    expected: section.checksum,
                    found,
                });
            }
            end = section.range.end;
        }
        Ok(())
    }
}

/// The checksum of the header without its own eight bytes, and of the table.
pub(super) fn header_checksum(header: &[u8], table: &[u8]) -> u64 {
    let mut hashed = Vec::with_capacity(HEADER_BYTES - 8 + table.len());
    hashed.extend_from_slice(&header[..40]);
    hashed.extend_from_slice(&header[48..]);
    hashed.extend_from_slice(table);
    checksum(&hashed)
}
