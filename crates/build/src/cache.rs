//! Vectors that are kept beside a shelf, by the digest of the text that each was made of: what was encoded once is not encoded
//! again.
//!
//! ```text
//! "NSCACHE\n" · the encoder's fingerprint, 32 bytes · u32 dimensions
//! entry   first 16 bytes of the text's SHA-256 · f32 [dims] · XXH3-64 of both
//! ```

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use nearshelf_container::checksum;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

const MAGIC: &[u8; 8] = b"NSCACHE\n";
const HEAD: usize = 8 + 32 + 4;
const KEY: usize = 16;
const CHECKSUM: usize = 8;

type TextKey = [u8; KEY];

/// Vectors by the texts that they were made of.
#[derive(Debug)]
pub(crate) struct VectorCache {
    path: PathBuf,
    file: Mutex<File>,
    places: HashMap<TextKey, u64>,
    dims: usize,
    damaged: u64,
}

fn key(text: &str) -> TextKey {
    let digest: [u8; 32] = Sha256::digest(text).into();
    let (key, _) = digest
        .split_first_chunk()
        .expect("32 bytes are more than 16");
    *key
}

/// Numbers as they stand in files.
pub(crate) fn numbers(bytes: &[u8]) -> Vec<f32> {
    let raw = bytes.as_chunks().0.iter();
    raw.map(|&raw| f32::from_le_bytes(raw)).collect()
}

fn entry_bytes(dims: usize) -> usize {
    KEY + 4 * dims + CHECKSUM
}

fn entry(key: &TextKey, vector: &[f32]) -> Vec<u8> {
    let mut entry = key.to_vec();
    entry.extend(vector.iter().flat_map(|x| x.to_le_bytes()));
    entry.extend(checksum(&entry).to_le_bytes());
    entry
}

fn head(encoder: &[u8; 32], dims: usize) -> Vec<u8> {
    let dims = (dims as u32).to_le_bytes();
    [MAGIC.as_slice(), encoder, &dims].concat()
}

impl VectorCache {
    /// Opens a file of vectors of this encoder. Every entry is compared with its checksum: one that is damaged is left out and
    /// counted, so that its text is encoded again.
    ///
    /// # Errors
    /// A file that cannot be read, that is none, or whose vectors another encoder made.
    pub fn open(path: &Path, encoder: &[u8; 32], dims: usize) -> Result<Self> {
        let io = |e| Error::io(path, e);
        let mut file = BufReader::new(File::open(path).map_err(io)?);
        let mut found = [0; HEAD];
        let read = file.read_exact(&mut found);
        let wrong = |expected: &str, found: &str| Error::Option {
            option: "reuse",
            expected: format!("{} to be {expected}", path.display()),
            found: found.into(),
        };
        if read.is_err() || &found[..8] != MAGIC {
            return Err(wrong("a file of kept vectors", "another file"));
        }
        if found[..] != head(encoder, dims) {
            let expected = "a file of vectors that this encoder made";
            return Err(wrong(expected, "those of another encoder"));
        }
        let mut entry = vec![0; entry_bytes(dims)];
        let (mut places, mut damaged, mut at) = (HashMap::new(), 0, HEAD as u64);
        loop {
            match file.read_exact(&mut entry) {
                Ok(()) => {}
                Err(e) if e.kind() == ErrorKind::UnexpectedEof => break,
                Err(e) => return Err(io(e)),
            }
            let (content, sum) = entry.split_at(entry.len() - CHECKSUM);
            match content.first_chunk() {
                Some(key) if checksum(content).to_le_bytes() == sum => {
                    places.insert(*key, at + KEY as u64);
                }
                _ => damaged += 1,
            }
            at += entry.len() as u64;
        }
        let rest = file.get_ref().metadata().map_err(io)?.len() - at;
        Ok(VectorCache {
            path: path.to_owned(),
            file: Mutex::new(file.into_inner()),
            places,
            dims,
            damaged: damaged + u64::from(rest > 0),
        })
    }

    /// The vector of a text; `None` where it is not kept.
    ///
    /// # Errors
    /// The file cannot be read any more.
    pub fn get(&self, text: &str) -> Result<Option<Vec<f32>>> {
        let Some(&place) = self.places.get(&key(text)) else {
            return Ok(None);
        };
        self.read(place).map(Some)
    }

    /// Damaged places of the file.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Keeps the vectors of texts, which come in parts with the place of the first of each, besides those that the file has of
    /// others.
    ///
    /// # Errors
    /// A file that cannot be written, vectors that cannot be read.
    pub fn write(
        path: &Path,
        encoder: &[u8; 32],
        dims: usize,
        texts: &[String],
        parts: impl Iterator<Item = Result<(usize, Vec<f32>)>>,
    ) -> Result<()> {
        // Vectors of another encoder are of no use any more.
        let before = VectorCache::open(path, encoder, dims).ok();
        let keys: Vec<TextKey> = texts.iter().map(|text| key(text)).collect();
        match before {
            Some(before) if before.damaged == 0 => before.append(&keys, parts),
            before => Self::write_anew(path, &head(encoder, dims), dims, &keys, parts, before),
        }
    }

    /// Adds the vectors of texts that the file has none of. Entries have checksums, so that one that was cut off is found.
    fn append(
        &self,
        keys: &[TextKey],
        parts: impl Iterator<Item = Result<(usize, Vec<f32>)>>,
    ) -> Result<()> {
        let io = |e| Error::io(&self.path, e);
        let file = File::options().append(true).open(&self.path).map_err(io)?;
        // Entries of two writers would stand inside one another.
        file.lock().map_err(io)?;
        let before = file.metadata().map_err(io)?.len();
        let mut out = BufWriter::new(&file);
        let added = || -> Result<()> {
            for part in parts {
                let (first, rows) = part?;
                for (row, key) in rows.chunks_exact(self.dims).zip(&keys[first..]) {
                    if !self.places.contains_key(key) {
                        out.write_all(&entry(key, row)).map_err(io)?;
                    }
                }
            }
            out.flush().and_then(|()| file.sync_all()).map_err(io)
        };
        let added = added();
        if added.is_err() {
            // Not written when it is dropped.
            let _ = out.into_parts();
            // A disk that is full: the file as it was. The next writer finds what is left where this fails as well.
            let _ = file.set_len(before);
        }
        added
    }

    /// Writes the file whole: these vectors, then what it has of others.
    fn write_anew(
        path: &Path,
        head: &[u8],
        dims: usize,
        keys: &[TextKey],
        parts: impl Iterator<Item = Result<(usize, Vec<f32>)>>,
        before: Option<VectorCache>,
    ) -> Result<()> {
        nearshelf_files::write_whole(path, |out| {
            out.write_all(head)?;
            let mut put = |key: &TextKey, vector: &[f32]| out.write_all(&entry(key, vector));
            for part in parts {
                let (first, rows) = part.map_err(std::io::Error::other)?;
                for (row, key) in rows.chunks_exact(dims).zip(&keys[first..]) {
                    put(key, row)?;
                }
            }
            let Some(before) = before else {
                return Ok(());
            };
            let new: std::collections::HashSet<&TextKey> = keys.iter().collect();
            let mut others: Vec<(&TextKey, &u64)> = before.places.iter().collect();
            others.retain(|(key, _)| !new.contains(key));
            others.sort_unstable_by_key(|(_, place)| **place);
            for (key, &place) in others {
                let vector = before.read(place).map_err(std::io::Error::other)?;
                put(key, &vector)?;
            }
            Ok(())
        })
        .map_err(|e: std::io::Error| Error::io(path, e))
    }

    fn read(&self, place: u64) -> Result<Vec<f32>> {
        let mut bytes = vec![0; 4 * self.dims];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(place))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(|e| Error::io(&self.path, e))?;
        Ok(numbers(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIMS: usize = 3;

    /// Keeps a vector of the text's length for each text.
    fn keep(path: &Path, texts: &[&str]) {
        let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
        let rows = texts.iter().flat_map(|text| [text.len() as f32; DIMS]);
        let parts = [Ok((0, rows.collect()))].into_iter();
        VectorCache::write(path, &[7; 32], DIMS, &texts, parts).unwrap();
    }

    #[test]
    fn vectors_are_added_behind_those_that_are_kept_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache");
        keep(&path, &["a", "bb"]);
        let before = std::fs::read(&path).unwrap();
        keep(&path, &["bb", "ccc"]);
        let after = std::fs::read(&path).unwrap();
        assert!(after.starts_with(&before));
        assert_eq!(after.len(), before.len() + entry_bytes(DIMS));

        // What was cut off is left behind, and all else is kept.
        std::fs::write(&path, &after[..after.len() - 1]).unwrap();
        keep(&path, &["dddd"]);
        let cache = VectorCache::open(&path, &[7; 32], DIMS).unwrap();
        assert_eq!(cache.damaged(), 0);
        for (text, kept) in [("a", true), ("bb", true), ("ccc", false), ("dddd", true)] {
            let vector = kept.then(|| vec![text.len() as f32; DIMS]);
            assert_eq!(cache.get(text).unwrap(), vector, "{text}");
        }
    }
}
