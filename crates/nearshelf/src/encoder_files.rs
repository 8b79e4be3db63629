//! Files of a shelf that are attached and kept as they are: its changes, and those of its encoder, with the encoder that they make.

use std::collections::HashMap;

use nearshelf_catalog::{EncoderFiles, FileRef, Manifest};
use nearshelf_container::Bytes;
use nearshelf_encoder::Encoder;

use crate::error::{Error, Result};

/// Files that were attached, by name.
#[derive(Debug, Default)]
pub(crate) struct AttachedFiles(HashMap<String, Attached>);

#[derive(Debug, Clone)]
struct Attached {
    bytes: Bytes,
    /// Whether the bytes were compared with the manifest's digest.
    checked: bool,
}

impl AttachedFiles {
    pub fn insert(&mut self, file: &FileRef, bytes: Bytes, checked: bool) {
        self.0
            .insert(file.name.clone(), Attached { bytes, checked });
    }

    /// Takes a file over from another shelf, where that has it.
    pub fn share(&mut self, file: &FileRef, other: &Self) {
        if let Some(attached) = other.0.get(&file.name) {
            self.0.insert(file.name.clone(), attached.clone());
        }
    }

    /// The bytes of a file, where it is here.
    pub fn bytes(&self, file: &FileRef) -> Option<Bytes> {
        self.0
            .get(&file.name)
            .map(|attached| attached.bytes.clone())
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Lets go of the bytes of a file, which is here all the same.
    pub fn release(&mut self, file: &FileRef) {
        if let Some(attached) = self.0.get_mut(&file.name) {
            attached.bytes = Bytes::from(Vec::new());
        }
    }

    fn get(&self, file: &FileRef) -> Result<&Attached> {
        self.0.get(&file.name).ok_or_else(|| Error::Missing {
            file: file.name.clone(),
        })
    }

    /// Compares the bytes of every file with the manifest.
    pub fn verify(&self, files: &EncoderFiles) -> Result<()> {
        for file in files.files() {
            file.verify(&self.get(file)?.bytes)?;
        }
        Ok(())
    }

    /// The encoder, whose vectors have to be the shelf's.
    pub fn encoder(&self, manifest: &Manifest) -> Result<Encoder> {
        let encoder = match &manifest.encoder {
            EncoderFiles::Network(file) => {
                let Attached { bytes, checked } = self.get(file)?.clone();
                Encoder::from_network(&file.name, bytes, checked)?
            }
            #[cfg(feature = "onnx")]
            EncoderFiles::Onnx {
                config,
                model,
                tokenizer,
            } => self.graph(config, model, tokenizer)?,
            #[cfg(not(feature = "onnx"))]
            EncoderFiles::Onnx { model, .. } => {
                let file = model.name.clone();
                return Err(nearshelf_encoder::Error::Unsupported { file }.into());
            }
        };
        let shelf = manifest.dims as usize;
        if encoder.dims() != shelf {
            return Err(Error::Dimensions {
                model: manifest.encoder.model().name.clone(),
                shelf,
                found: encoder.dims(),
            });
        }
        Ok(encoder)
    }

    /// The encoder of a graph that nearshelf does not recognise.
    #[cfg(feature = "onnx")]
    fn graph(&self, config: &FileRef, model: &FileRef, tokenizer: &FileRef) -> Result<Encoder> {
        let [config_file, model_file, tokenizer_file] =
            [self.get(config)?, self.get(model)?, self.get(tokenizer)?];
        let stated = nearshelf_encoder::EncoderConfig::from_json(&config_file.bytes)?;
        // Digests that were compared need not be again, where the encoder's own are the manifest's.
        let files = [config_file, model_file, tokenizer_file];
        let checked = files.iter().all(|file| file.checked)
            && stated.model_sha256 == model.sha256.to_string()
            && stated.tokenizer_sha256 == tokenizer.sha256.to_string();
        let encoder = Encoder::from_onnx(&nearshelf_encoder::ModelFiles {
            config: Some(&config_file.bytes),
            model: model_file.bytes.clone(),
            tokenizer: &tokenizer_file.bytes,
            checked,
        })?;
        // Weights are packed now; of the file only some rows of a table are still read.
        model_file.bytes.release();
        Ok(encoder)
    }
}
