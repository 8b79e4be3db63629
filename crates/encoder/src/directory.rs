//! Model directories: a network file, beside it the portable form.

use std::path::Path;

use nearshelf_container::Bytes;

use crate::encoder::Encoder;
use crate::error::{Error, Result};
use crate::network_file::NETWORK_NAME;

impl Encoder {
    /// Opens the model directory `dir`: its network file, which is mapped; without one its `model.onnx`, where
    /// this build reads those.
    ///
    /// # Errors
    /// A file that is missing, unreadable or damaged; a network file that was made of another `model.onnx` than
    /// `encoder.json` describes.
    pub fn open(dir: &Path) -> Result<Self> {
        let path = dir.join(NETWORK_NAME);
        match Bytes::map(&path) {
            Ok(bytes) => {
                let encoder = Encoder::from_network(NETWORK_NAME, bytes, false)?;
                #[cfg(feature = "onnx")]
                portable::check_origin(dir, encoder.config())?;
                Ok(encoder)
            }
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => without(dir),
            Err(source) => Err(Error::Io { path, source }),
        }
    }
}

/// A directory without a network file.
#[cfg(feature = "onnx")]
fn without(dir: &Path) -> Result<Encoder> {
    portable::Portable::read(dir)?.encoder()
}

#[cfg(not(feature = "onnx"))]
fn without(dir: &Path) -> Result<Encoder> {
    let file = dir.join("model.onnx").display().to_string();
    Err(Error::Unsupported { file })
}

#[cfg(feature = "onnx")]
pub(crate) mod portable {
    //! The portable form of a model: `model.onnx`, `tokenizer.json`, `encoder.json`.

    use std::io::ErrorKind;

    use super::*;
    use crate::config::EncoderConfig;
    use crate::onnx::{ModelFiles, network_file};

    /// A model directory's portable files.
    pub struct Portable {
        config: Option<Vec<u8>>,
        model: Bytes,
        tokenizer: Vec<u8>,
    }

    fn read(dir: &Path, name: &str) -> Result<Vec<u8>> {
        let path = dir.join(name);
        std::fs::read(&path).map_err(|source| Error::Io { path, source })
    }

    fn read_config(dir: &Path) -> Result<Option<Vec<u8>>> {
        match read(dir, "encoder.json") {
            Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        }
    }

    impl Portable {
        /// Reads the files; the model is mapped.
        ///
        /// # Errors
        /// A file that is missing or unreadable.
        pub fn read(dir: &Path) -> Result<Self> {
            let path = dir.join("model.onnx");
            Ok(Portable {
                config: read_config(dir)?,
                tokenizer: read(dir, "tokenizer.json")?,
                model: Bytes::map(&path).map_err(|source| Error::Io { path, source })?,
            })
        }

        fn files(&self) -> ModelFiles<'_> {
            ModelFiles {
                config: self.config.as_deref(),
                model: self.model.clone(),
                tokenizer: &self.tokenizer,
                checked: false,
            }
        }

        /// The encoder.
        ///
        /// # Errors
        /// Those of [`Encoder::from_onnx`].
        pub fn encoder(&self) -> Result<Encoder> {
            let encoder = Encoder::from_onnx(&self.files());
            self.model.release();
            encoder
        }

        /// The network file, where the graph is recognised.
        ///
        /// # Errors
        /// Those of [`network_file`].
        pub fn network_file(&self) -> Result<Option<Vec<u8>>> {
            network_file(&self.files())
        }
    }

    /// A network file beside an `encoder.json` has to be made of the model that this one describes.
    pub fn check_origin(dir: &Path, made_of: &EncoderConfig) -> Result<()> {
        let Some(config) = read_config(dir)? else {
            return Ok(());
        };
        let stated = EncoderConfig::from_json(&config)?;
        if stated.model_sha256 == made_of.model_sha256
            && stated.tokenizer_sha256 == made_of.tokenizer_sha256
        {
            return Ok(());
        }
        Err(Error::Origin {
            file: NETWORK_NAME.into(),
            expected: stated.model_sha256,
            found: made_of.model_sha256.clone(),
        })
    }
}
