//! Files of a shelf as the manifest describes them.

use nearshelf_container::{Digest, FileKind, Head, sha256};

use crate::error::{Error, Result};

/// A file of the shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRef {
    /// Its name in the shelf's directory, which holds a part of its digest.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its content.
    pub sha256: Digest,
    /// Its head, where it has one: what parts of the file are verified by.
    pub head: Option<PartRef>,
}

/// The first bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartRef {
    /// Their number.
    pub bytes: u64,
    /// Their content.
    pub sha256: Digest,
}

impl FileRef {
    /// Describes `bytes` under a name of `stem`, a part of the digest and `extension`.
    pub fn of(stem: &str, extension: &str, bytes: &[u8]) -> Self {
        let digest = sha256(bytes);
        let mut short = digest.to_string();
        short.truncate(16);
        FileRef {
            name: format!("{stem}-{short}.{extension}"),
            bytes: bytes.len() as u64,
            sha256: digest,
            head: head(bytes),
        }
    }

    /// Compares bytes with the description.
    ///
    /// # Errors
    /// Another length or digest.
    pub fn verify(&self, bytes: &[u8]) -> Result<()> {
        self.check_length(bytes.len() as u64)?;
        self.check_digest(self.sha256, bytes)
    }

    /// Compares the first bytes of the file, which came alone, with the description of its head.
    ///
    /// # Errors
    /// A file without a head; fewer bytes than the head has, or other ones.
    pub fn verify_head(&self, first: &[u8]) -> Result<()> {
        let head = self.head.and_then(|head| {
            let bytes = first.get(..usize::try_from(head.bytes).ok()?)?;
            Some((head, bytes))
        });
        let Some((head, bytes)) = head else {
            return Err(Error::Length {
                file: format!("{}, head", self.name),
                expected: self.head.map_or(0, |head| head.bytes),
                found: first.len() as u64,
            });
        };
        self.check_digest(head.sha256, bytes)
    }

    fn check_digest(&self, expected: Digest, bytes: &[u8]) -> Result<()> {
        let found = sha256(bytes);
        if found != expected {
            return Err(Error::Digest {
                file: self.name.clone(),
                expected: expected.to_string(),
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

/// The head of a file of our own kinds.
fn head(bytes: &[u8]) -> Option<PartRef> {
    let read = |kind| Head::read(kind, &bytes).ok();
    let kinds = [FileKind::Shard, FileKind::Network, FileKind::Words];
    let head = kinds.into_iter().find_map(read)?;
    Some(PartRef {
        bytes: head.bytes() as u64,
        sha256: sha256(&bytes[..head.bytes()]),
    })
}

/// The files of the query encoder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a manifest holds one of them")]
pub enum EncoderFiles {
    /// A network file, which every runtime reads.
    Network(FileRef),
    /// A graph that is not recognised, which runtimes with the feature `onnx` read.
    Onnx {
        /// `encoder.json`.
        config: FileRef,
        /// `model.onnx`.
        model: FileRef,
        /// `tokenizer.json`.
        tokenizer: FileRef,
    },
}

impl EncoderFiles {
    /// All of them.
    pub fn files(&self) -> Vec<&FileRef> {
        match self {
            EncoderFiles::Network(file) => vec![file],
            EncoderFiles::Onnx {
                config,
                model,
                tokenizer,
            } => vec![config, model, tokenizer],
        }
    }

    /// The file that holds the weights.
    pub fn model(&self) -> &FileRef {
        match self {
            EncoderFiles::Network(file) => file,
            EncoderFiles::Onnx { model, .. } => model,
        }
    }
}
