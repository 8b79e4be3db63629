//! The encoder that a shelf is built with: of a model directory, of another shelf, or at hand.

use std::path::Path;

use nearshelf_catalog::{EncoderFiles, MANIFEST_NAME, Manifest};
use nearshelf_container::Bytes;
use nearshelf_encoder::{Encoder, NETWORK_NAME, in_four_bits};

use crate::error::{Error, Result};

/// An encoder for items and queries, and the files that a shelf gets of it.
pub struct Model {
    items: Encoder,
    /// The encoder of the queries, where it is not that of the items.
    queries: Option<Encoder>,
    pub(crate) files: ModelFiles,
}

/// The files of the query encoder, as a shelf carries them.
pub(crate) enum ModelFiles {
    /// A network file.
    Network(Bytes),
    /// A graph that is not recognised.
    #[cfg(feature = "onnx")]
    Onnx {
        config: Vec<u8>,
        model: Vec<u8>,
        tokenizer: Vec<u8>,
    },
}

impl Model {
    /// Opens a model directory, or takes the encoder of a shelf. Where a model directory has a directory `query`
    /// with a smaller encoder for queries, shelves get that one.
    ///
    /// # Errors
    /// Files that are missing, damaged, or do not fit one another; a shelf whose encoder is no network file.
    pub fn open(directory: &Path) -> Result<Self> {
        if directory.join(MANIFEST_NAME).is_file() {
            return Self::of_shelf(directory);
        }
        let query = directory.join("query");
        if !query.join("encoder.json").is_file() {
            let (items, files) = open(directory)?;
            return Ok(Model {
                items,
                queries: None,
                files,
            });
        }
        let (items, _) = open(directory)?;
        let (queries, files) = open(&query)?;
        if queries.dims() != items.dims() {
            return Err(Error::Option {
                option: "query encoder",
                expected: format!("{} dimensions, like the items'", items.dims()),
                found: queries.dims().to_string(),
            });
        }
        Ok(Model {
            items,
            queries: Some(queries),
            files,
        })
    }

    /// Takes an encoder from the bytes of its network file. `name` names it in errors.
    ///
    /// # Errors
    /// A file that is damaged, or whose parts do not fit one another.
    pub fn from_network(name: &str, bytes: Bytes) -> Result<Self> {
        Ok(Model {
            items: Encoder::from_network(name, bytes.clone(), false)?,
            queries: None,
            files: ModelFiles::Network(bytes),
        })
    }

    fn of_shelf(directory: &Path) -> Result<Self> {
        let path = directory.join(MANIFEST_NAME);
        let bytes = std::fs::read(&path).map_err(|e| Error::io(&path, e))?;
        let manifest = Manifest::from_bytes(&path.display().to_string(), &bytes)?;
        let EncoderFiles::Network(file) = &manifest.encoder else {
            return Err(Error::Option {
                option: "model",
                expected: "a model directory, or a shelf whose encoder is a network file".into(),
                found: format!("{}, whose encoder is in ONNX", directory.display()),
            });
        };
        let path = directory.join(&file.name);
        let bytes = Bytes::map(&path).map_err(|e| Error::io(&path, e))?;
        file.verify(&bytes)?;
        Self::from_network(&file.name, bytes)
    }

    /// The model whose queries are encoded with weights of 4 bits, in half of the bytes. Items keep their encoder.
    ///
    /// # Errors
    /// An encoder that is no network file.
    pub fn with_four_bits(self) -> Result<Self> {
        #[cfg(feature = "onnx")]
        if let ModelFiles::Onnx { .. } = self.files {
            return Err(Error::Option {
                option: "query bits",
                expected: "8 for an encoder whose graph is not recognised".into(),
                found: "4".into(),
            });
        }
        #[cfg_attr(
            not(feature = "onnx"),
            expect(irrefutable_let_patterns, reason = "one kind without `onnx`")
        )]
        let ModelFiles::Network(bytes) = &self.files else {
            return Ok(self);
        };
        let coarse = Bytes::from(in_four_bits(NETWORK_NAME, bytes)?);
        Ok(Model {
            queries: Some(Encoder::from_network(NETWORK_NAME, coarse.clone(), true)?),
            files: ModelFiles::Network(coarse),
            ..self
        })
    }

    /// The encoder of the items.
    pub fn items(&self) -> &Encoder {
        &self.items
    }

    /// The encoder of the queries, which a shelf carries.
    pub fn queries(&self) -> &Encoder {
        self.queries.as_ref().unwrap_or(&self.items)
    }
}

/// The encoder of a model directory, and the files that a shelf gets of it.
fn open(directory: &Path) -> Result<(Encoder, ModelFiles)> {
    let path = directory.join(NETWORK_NAME);
    if path.is_file() {
        let bytes = Bytes::map(&path).map_err(|e| Error::io(&path, e))?;
        return Ok((Encoder::open(directory)?, ModelFiles::Network(bytes)));
    }
    of_graph(directory)
}

/// A model directory without a network file.
#[cfg(not(feature = "onnx"))]
fn of_graph(directory: &Path) -> Result<(Encoder, ModelFiles)> {
    let file = directory.join("model.onnx").display().to_string();
    Err(nearshelf_encoder::Error::Unsupported { file }.into())
}

/// The network that a graph becomes, or the graph itself where it is not recognised.
#[cfg(feature = "onnx")]
fn of_graph(directory: &Path) -> Result<(Encoder, ModelFiles)> {
    let portable = nearshelf_encoder::Portable::read(directory)?;
    if let Some(network) = portable.network_file()? {
        let bytes = Bytes::from(network);
        let encoder = Encoder::from_network(NETWORK_NAME, bytes.clone(), false)?;
        return Ok((encoder, ModelFiles::Network(bytes)));
    }
    let encoder = portable.encoder()?;
    let read = |name: &str| {
        let path = directory.join(name);
        std::fs::read(&path).map_err(|e| Error::io(&path, e))
    };
    let files = ModelFiles::Onnx {
        config: serde_json::to_vec_pretty(encoder.config()).expect("a struct of plain fields"),
        model: read("model.onnx")?,
        tokenizer: read("tokenizer.json")?,
    };
    Ok((encoder, files))
}
