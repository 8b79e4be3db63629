//! The manifest: a header, then a [`Manifest`] in postcard. See `FORMAT.md` of the index crate.

use std::fmt;

use nearshelf_index::format::checksum;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use crate::columns::FieldKind;
use crate::error::{Error, Result};

/// The manifest's name in the shelf's directory: the one file whose name is not its content's hash.
pub const MANIFEST_NAME: &str = "shelf.nsm";
/// The version that this build writes, and the newest that it reads.
pub const MANIFEST_VERSION: u32 = 1;

const MAGIC: [u8; 8] = *b"\x89NSM\r\n\x1a\n";
const HEADER_BYTES: usize = 32;

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest(pub [u8; 32]);

/// The SHA-256 of these bytes.
pub fn sha256(bytes: &[u8]) -> Digest {
    Digest(sha2::Sha256::digest(bytes).into())
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A file of the shelf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRef {
    /// Its name in the shelf's directory, which holds a part of its digest.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its content.
    pub sha256: Digest,
}

impl FileRef {
    /// Describes `bytes` under a name of `stem`, a part of the digest and `extension`.
    pub fn of(stem: &str, extension: &str, bytes: &[u8]) -> Self {
        let sha256 = sha256(bytes);
        let mut short = sha256.to_string();
        short.truncate(16);
        FileRef {
            name: format!("{stem}-{short}.{extension}"),
            bytes: bytes.len() as u64,
            sha256,
        }
    }

    /// Compares bytes with the description.
    ///
    /// # Errors
    /// Another length or digest.
    pub fn verify(&self, bytes: &[u8]) -> Result<()> {
        self.check_length(bytes.len() as u64)?;
        let found = sha256(bytes);
        if found != self.sha256 {
            return Err(Error::Digest {
                file: self.name.clone(),
                expected: self.sha256.to_string(),
                found: found.to_string(),
            });
        }
        Ok(())
    }

    /// Compares a length with the description's.
    ///
    /// # Errors
    /// Another length.
    pub fn check_length(&self, found: u64) -> Result<()> {
        if found != self.bytes {
            return Err(Error::Length {
                file: self.name.clone(),
                expected: self.bytes,
                found,
            });
        }
        Ok(())
    }
}

/// A field that items have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name in the catalog.
    pub name: String,
    /// Its type.
    pub kind: FieldKind,
}

/// A shard, and where it stands among the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShardRef {
    /// The shard's file.
    pub file: FileRef,
    /// Items in it.
    pub items: u32,
    /// The unit vector in the middle of its items, `[dims]`.
    pub centroid: Vec<f32>,
}

/// Recall that a number of shards reached when the shelf was built.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ProbeRecall {
    /// Shards searched.
    pub probe: u32,
    /// Candidates kept in each search.
    pub ef: u32,
    /// Recall@10 against exact search.
    pub recall: f32,
}

/// How a search goes when the caller does not say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchDefaults {
    /// Shards that are searched, nearest first.
    pub probe: u32,
    /// Candidates kept while walking the graphs (`ef_search`).
    pub ef: u32,
    /// What the defaults were chosen from, by rising cost.
    pub measured: Vec<ProbeRecall>,
}

/// What a shelf is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of nearshelf that built it.
    pub built_by: String,
    /// The seed of the clustering and the graphs.
    pub seed: u64,
    /// Components of a vector.
    pub dims: u32,
    /// The field that was taken as id.
    pub id_field: String,
    /// The fields whose texts were encoded, in their order.
    pub text_fields: Vec<String>,
    /// The fields that items come back with.
    pub fields: Vec<Field>,
    /// `encoder.json`, `model.onnx` and `tokenizer.json` of the query encoder.
    pub encoder: [FileRef; 3],
    /// The shards.
    pub shards: Vec<ShardRef>,
    /// Search defaults.
    pub search: SearchDefaults,
}

impl Manifest {
    /// Items in all shards.
    pub fn items(&self) -> u64 {
        self.shards.iter().map(|s| u64::from(s.items)).sum()
    }

    /// Every file of the shelf but the manifest itself.
    pub fn files(&self) -> impl Iterator<Item = &FileRef> {
        self.encoder
            .iter()
            .chain(self.shards.iter().map(|s| &s.file))
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let payload = postcard::to_stdvec(self).expect("a Vec takes any bytes");
        let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&MANIFEST_VERSION.to_le_bytes());
        // The oldest reader that understands this file.
        bytes.extend_from_slice(&1u32.to_le_bytes());
        bytes.extend_from_slice(&(payload.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(&payload);
        let sum = header_and_payload(&bytes);
        bytes[24..32].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Parses and checks a manifest; `file` names it in errors.
    ///
    /// # Errors
    /// Damage of any kind, a newer version, or values that contradict one another.
    pub fn from_bytes(file: &str, bytes: &[u8]) -> Result<Self> {
        let error = |place: &str, expected: String, found: String| Error::Manifest {
            file: file.to_owned(),
            place: place.to_owned(),
            expected,
            found,
        };
        let start = &bytes[..bytes.len().min(8)];
        if start != MAGIC {
            return Err(error(
                "byte 0",
                format!("the magic {MAGIC:02x?}"),
                format!("{start:02x?}"),
            ));
        }
        let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(error(
                "header",
                format!("{HEADER_BYTES} bytes"),
                bytes.len().to_string(),
            ));
        };
        let number = |at: usize| {
            let mut raw = [0; 8];
            raw.copy_from_slice(&header[at..at + 8]);
            u64::from_le_bytes(raw)
        };
        let needed = (number(8) >> 32) as u32;
        if needed > MANIFEST_VERSION {
            let file = file.to_owned();
            return Err(Error::TooNew {
                file,
                supported: MANIFEST_VERSION,
                needed,
            });
        }
        let payload = &bytes[HEADER_BYTES..];
        if number(16) != payload.len() as u64 {
            return Err(error(
                "byte 16",
                format!("{} bytes behind the header", number(16)),
                payload.len().to_string(),
            ));
        }
        let (stored, actual) = (number(24), header_and_payload(bytes));
        if stored != actual {
            return Err(error(
                "byte 24",
                format!("checksum {stored:016x}"),
                format!("{actual:016x}"),
            ));
        }
        let (manifest, rest) = postcard::take_from_bytes::<Manifest>(payload)
            .map_err(|e| error("payload", "a manifest".into(), e.to_string()))?;
        if !rest.is_empty() {
            return Err(error(
                "payload",
                "its end".into(),
                format!("{} more bytes", rest.len()),
            ));
        }
        manifest.check(&error)?;
        Ok(manifest)
    }

    fn check(&self, error: &dyn Fn(&str, String, String) -> Error) -> Result<()> {
        let dims = self.dims as usize;
        if !(1..=8192).contains(&dims) {
            return Err(error("dims", "1 to 8192".into(), dims.to_string()));
        }
        for name in self.files().map(|f| &f.name) {
            // A name, not a path: a shelf reads nothing outside its own directory.
            let plain = name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
            if !plain || name.starts_with('.') || name.is_empty() {
                let expected = "a name of letters, digits, '-', '_' and '.'".into();
                return Err(error("file name", expected, format!("{name:?}")));
            }
        }
        for (i, shard) in self.shards.iter().enumerate() {
            let found = shard.centroid.len();
            if found != dims || !shard.centroid.iter().all(|x| x.is_finite()) {
                return Err(error(
                    &format!("centroid of shard {i}"),
                    format!("{dims} finite numbers"),
                    format!("{found} numbers: {:?} …", &shard.centroid[..found.min(4)]),
                ));
            }
        }
        if self.shards.is_empty() {
            return Err(error("shards", "one or more".into(), "none".into()));
        }
        Ok(())
    }
}

/// The checksum of all but its own eight bytes.
fn header_and_payload(bytes: &[u8]) -> u64 {
    let mut hashed = bytes[..24].to_vec();
    hashed.extend_from_slice(&bytes[HEADER_BYTES..]);
    checksum(&hashed)
}
