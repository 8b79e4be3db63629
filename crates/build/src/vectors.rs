//! The items' vectors, in a file: what a build reads of them is in memory only while it is used.

use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use nearshelf_container::checksum;
use nearshelf_encoder::Encoder;
use sha2::{Digest, Sha256};

use crate::cache::{VectorCache, numbers};
use crate::error::{Error, Result};
use crate::progress::Progress;

/// Texts that are encoded, and rows that are read, at a time.
const BLOCK: usize = 2048;
/// Rows with a checksum behind them, in files of our own.
const CHECKED: usize = 1024;
const CHECKSUM: usize = 8;
const MAGIC: &[u8; 8] = b"NSVECTS\n";
/// Magic and key of a file of our own.
const HEAD: usize = 8 + 32;
/// A vector's length may be so far from 1.
const TOLERANCE: f32 = 1e-2;

/// Unit vectors in a file: rows of little-endian f32.
pub(crate) struct VectorFile {
    file: Mutex<File>,
    path: PathBuf,
    /// Where the first row is.
    start: u64,
    rows: usize,
    dims: usize,
    /// Rows after which a checksum stands.
    checked: usize,
    /// The row of each vector in the file, where that is another.
    order: Option<Vec<u32>>,
}

/// Vectors that were encoded.
pub(crate) struct Encoded {
    pub vectors: VectorFile,
    /// Texts that were truncated, of those encoded now.
    pub truncated: u64,
    /// Vectors that were there.
    pub resumed: u64,
    /// Vectors of texts that were kept.
    pub reused: u64,
}

impl VectorFile {
    /// A matrix `[rows][dims]` of float32 as NumPy writes it.
    ///
    /// # Errors
    /// A file of another shape or type, or a row that is not of length 1.
    pub fn numpy(path: &Path, rows: usize, dims: usize) -> Result<Self> {
        let io = |e| Error::io(path, e);
        let mut file = BufReader::new(File::open(path).map_err(io)?);
        let header = npyz::NpyHeader::from_reader(&mut file).map_err(io)?;
        let shape = [rows as u64, dims as u64];
        let found = format!(
            "{} {:?} in {:?} order",
            header.dtype().descr(),
            header.shape(),
            header.order()
        );
        let wanted = header.dtype().descr() == "'<f4'"
            && header.shape() == shape
            && header.order() == npyz::Order::C;
        if !wanted {
            return Err(Error::Option {
                option: "vectors",
                expected: format!("'<f4' {shape:?} in C order, a row for each item"),
                found,
            });
        }
        let start = file.stream_position().map_err(io)?;
        let vectors = VectorFile {
            file: Mutex::new(file.into_inner()),
            path: path.to_owned(),
            start,
            rows,
            dims,
            checked: rows.max(1),
            order: None,
        };
        vectors.check_lengths()?;
        Ok(vectors)
    }

    /// The same vectors in another order, by their rows in the file.
    #[must_use]
    pub fn in_order(self, order: Vec<u32>) -> Self {
        let order = Some(order);
        VectorFile { order, ..self }
    }

    /// Encodes texts into a file of our own, behind the rows that it already has. Texts whose vectors were kept are not encoded.
    ///
    /// # Errors
    /// A text that cannot be encoded, a file that cannot be written.
    pub fn encode(
        path: &Path,
        key: &Key,
        encoder: &Encoder,
        texts: &[String],
        kept: Option<&VectorCache>,
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<Encoded> {
        let io = |e| Error::io(path, e);
        let dims = encoder.dims();
        let row = dims * 4;
        let block = (CHECKED * row + CHECKSUM) as u64;
        let blocks = complete_blocks(path, key, dims).map_err(io)?;
        let done = blocks * CHECKED;
        let file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(io)?;
        let mut out = BufWriter::new(file);
        if blocks == 0 {
            out.write_all(MAGIC).map_err(io)?;
            out.write_all(&key.0).map_err(io)?;
        }
        let end = HEAD as u64 + blocks as u64 * block;
        out.flush().map_err(io)?;
        out.get_ref().set_len(end).map_err(io)?;
        out.seek(SeekFrom::Start(end)).map_err(io)?;

        progress.stage("encoding items", texts.len() as u64);
        progress.at(done as u64);
        let (mut truncated, mut reused) = (0, 0);
        for (number, texts) in texts[done..].chunks(BLOCK).enumerate() {
            let before = done + number * BLOCK;
            let at = |encoded: usize| progress.at((before + encoded) as u64);
            let block = Block::new(texts, kept, encoder, threads, &at)?;
            truncated += block.truncated;
            reused += block.reused;
            for rows in block.vectors.chunks(CHECKED) {
                let numbers = rows.iter().flatten();
                let bytes: Vec<u8> = numbers.flat_map(|x| x.to_le_bytes()).collect();
                out.write_all(&bytes).map_err(io)?;
                let sum = checksum(&bytes).to_le_bytes();
                out.write_all(&sum).map_err(io)?;
            }
            out.flush().map_err(io)?;
        }
        let file = out
            .into_inner()
            .map_err(|e| Error::io(path, e.into_error()))?;
        let vectors = VectorFile {
            file: Mutex::new(file),
            path: path.to_owned(),
            start: HEAD as u64,
            rows: texts.len(),
            dims,
            checked: CHECKED,
            order: None,
        };
        Ok(Encoded {
            vectors,
            truncated,
            resumed: done as u64,
            reused,
        })
    }

    /// Vectors that are there, in a file.
    ///
    /// # Errors
    /// Those of the vectors, or a file that cannot be written.
    pub fn of_rows(
        path: &Path,
        rows: usize,
        dims: usize,
        vectors: impl Iterator<Item = Result<Vec<f32>>>,
    ) -> Result<Self> {
        let io = |e| Error::io(path, e);
        let mut options = File::options();
        options.create_new(true).read(true).write(true);
        let mut out = BufWriter::new(options.open(path).map_err(io)?);
        for vector in vectors {
            let bytes: Vec<u8> = vector?.iter().flat_map(|x| x.to_le_bytes()).collect();
            out.write_all(&bytes).map_err(io)?;
        }
        let file = out
            .into_inner()
            .map_err(|e| Error::io(path, e.into_error()))?;
        Ok(VectorFile {
            file: Mutex::new(file),
            path: path.to_owned(),
            start: 0,
            rows,
            dims,
            checked: rows.max(1),
            order: None,
        })
    }

    /// Whether a file holds vectors of `dims` components with this key.
    pub fn is_of(path: &Path, key: &Key, dims: usize) -> bool {
        complete_blocks(path, key, dims).is_ok_and(|blocks| blocks > 0)
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Components of a vector.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// Rows one behind the other, `[rows][dims]`.
    fn read(&self, rows: Range<usize>) -> Result<Vec<f32>> {
        if self.order.is_some() {
            let rows: Vec<u32> = (rows.start as u32..rows.end as u32).collect();
            return self.gather(&rows);
        }
        let mut bytes = Vec::with_capacity(rows.len() * self.dims * 4);
        let mut next = rows.start;
        while next < rows.end {
            let end = rows.end.min((next / self.checked + 1) * self.checked);
            let start = bytes.len();
            bytes.resize(start + (end - next) * self.dims * 4, 0);
            self.read_at(next, &mut bytes[start..])?;
            next = end;
        }
        Ok(numbers(&bytes))
    }

    /// Some of the rows, `[rows][dims]`.
    pub fn gather(&self, rows: &[u32]) -> Result<Vec<f32>> {
        let width = self.dims * 4;
        let mut bytes = vec![0; rows.len() * width];
        for (&row, to) in rows.iter().zip(bytes.chunks_exact_mut(width)) {
            let row = match &self.order {
                Some(order) => order.get(row as usize).copied().unwrap_or(row),
                None => row,
            };
            self.read_at(row as usize, to)?;
        }
        Ok(numbers(&bytes))
    }

    /// All rows, so many at a time, each part with the number of its first row.
    pub fn parts(&self) -> impl Iterator<Item = Result<(usize, Vec<f32>)>> {
        let starts = (0..self.rows).step_by(BLOCK);
        starts.map(|start| {
            let rows = start..(start + BLOCK).min(self.rows);
            Ok((start, self.read(rows)?))
        })
    }

    fn read_at(&self, row: usize, to: &mut [u8]) -> Result<()> {
        let checksums = (row / self.checked * CHECKSUM) as u64;
        let place = self.start + (row * self.dims * 4) as u64 + checksums;
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(place))
            .and_then(|_| file.read_exact(to))
            .map_err(|e| Error::io(&self.path, e))
    }

    fn check_lengths(&self) -> Result<()> {
        for part in self.parts() {
            let (first, rows) = part?;
            for (i, vector) in rows.chunks_exact(self.dims).enumerate() {
                let length = nearshelf_index::dot_f32(vector, vector).sqrt();
                let unit = (length - 1.0).abs() < TOLERANCE;
                if !unit {
                    return Err(Error::Option {
                        option: "vectors",
                        expected: "vectors of length 1".into(),
                        found: format!("length {length} in row {}", first + i),
                    });
                }
            }
        }
        Ok(())
    }
}

/// The vectors of some texts.
struct Block {
    vectors: Vec<Vec<f32>>,
    truncated: u64,
    reused: u64,
}

impl Block {
    /// Encodes the texts whose vectors were not kept.
    fn new(
        texts: &[String],
        kept: Option<&VectorCache>,
        encoder: &Encoder,
        threads: usize,
        at: &(dyn Fn(usize) + Sync),
    ) -> Result<Self> {
        let known = texts.iter().map(|text| match kept {
            Some(kept) => kept.get(text),
            None => Ok(None),
        });
        let known: Vec<Option<Vec<f32>>> = known.collect::<Result<_>>()?;
        let unknown = texts
            .iter()
            .zip(&known)
            .filter(|(_, known)| known.is_none());
        let unknown: Vec<&String> = unknown.map(|(text, _)| text).collect();
        let encoded = encoder.encode_batch(&unknown, threads, at)?;
        let truncated = encoded.iter().filter(|e| e.truncated()).count() as u64;
        let mut encoded = encoded.into_iter();
        let vectors = known.into_iter();
        Ok(Block {
            reused: (texts.len() - unknown.len()) as u64,
            truncated,
            vectors: vectors
                .filter_map(|known| known.or_else(|| Some(encoded.next()?.vector)))
                .collect(),
        })
    }
}

/// A digest of the texts, and of the encoder by the vector that it makes of the first.
pub(crate) struct Key([u8; 32]);

impl Key {
    /// The key of these texts' vectors.
    ///
    /// # Errors
    /// The first text cannot be encoded.
    pub fn new(encoder: &Encoder, texts: &[String]) -> Result<Self> {
        let mut hash = Sha256::new();
        if let Some(first) = texts.first() {
            let vector = encoder.encode(first)?.vector;
            vector.iter().for_each(|x| hash.update(x.to_le_bytes()));
        }
        for text in texts {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        Ok(Key(hash.finalize().into()))
    }
}

/// Blocks with the right checksum, from the first on, of a file with this key.
fn complete_blocks(path: &Path, key: &Key, dims: usize) -> std::io::Result<usize> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(0),
        Err(e) => return Err(e),
    };
    let mut file = BufReader::new(file);
    let mut head = [0; HEAD];
    if file.read_exact(&mut head).is_err() || &head[..8] != MAGIC || head[8..] != key.0 {
        return Ok(0);
    }
    let mut block = vec![0; CHECKED * dims * 4 + CHECKSUM];
    let mut blocks = 0;
    while file.read_exact(&mut block).is_ok() {
        let (rows, sum) = block.split_at(CHECKED * dims * 4);
        if checksum(rows).to_le_bytes() != sum {
            break;
        }
        blocks += 1;
    }
    Ok(blocks)
}
