//! The network file (`.nsn`): configuration, tokenizer and network of an encoder in one file that is read in
//! place. `FORMAT.md` beside `nearshelf-container` has the layout.

use nearshelf_container::{Bytes, Digest, FileKind, FileWriter, Head, wire};
use nearshelf_network::{Bits, Network};
use serde::{Deserialize, Serialize};

use crate::config::{EncoderConfig, Head as PoolingHead, Pooling, Precision};
use crate::error::{Error, Result};
use crate::tokenizer::Tokenizer;

/// The name of the network file in a model directory.
pub const NETWORK_NAME: &str = "network.nsn";

/// The record in a network file's head: the encoder's configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ConfigRecord {
    pooling: PoolingRecord,
    heads: Vec<wire::Record<HeadRecord>>,
    max_tokens: u32,
    max_positions: u32,
    dims: u32,
    /// SHA-256 of the `model.onnx` that the network was made of.
    model: Digest,
    /// SHA-256 of the `tokenizer.json` that its tokenizer was made of.
    tokenizer: Digest,
}

/// The pooling of tokens, as files have it: its place in this list is its number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum PoolingRecord {
    Mean,
    Cls,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct HeadRecord {
    pooling: PoolingRecord,
    weight: f32,
}

impl From<Pooling> for PoolingRecord {
    fn from(pooling: Pooling) -> Self {
        match pooling {
            Pooling::Mean => PoolingRecord::Mean,
            Pooling::Cls => PoolingRecord::Cls,
        }
    }
}

impl From<PoolingRecord> for Pooling {
    fn from(record: PoolingRecord) -> Self {
        match record {
            PoolingRecord::Mean => Pooling::Mean,
            PoolingRecord::Cls => Pooling::Cls,
        }
    }
}

/// The content of a network file.
pub(crate) struct NetworkFile {
    pub config: EncoderConfig,
    pub tokenizer: Tokenizer,
    pub network: Network,
}

impl NetworkFile {
    /// Reads a network file in place. `name` names it in errors; `checked` says that the caller compared the
    /// bytes with a digest, so that checksums need not be.
    pub fn open(name: &str, bytes: Bytes, checked: bool) -> Result<Self> {
        let file = |source| Error::File {
            file: name.to_owned(),
            source,
        };
        // Weights are read as cache lines.
        let bytes = bytes.aligned();
        let head = Head::read(FileKind::Network, &bytes).map_err(file)?;
        if !checked {
            for section in head.sections() {
                head.verify_section(section, &bytes).map_err(file)?;
            }
        }
        let record: ConfigRecord = wire::decode("record", head.meta()).map_err(file)?;
        let network = |source| Error::Network {
            file: name.to_owned(),
            source,
        };
        let tokenizer = match Network::is_coarse(&head) {
            true => {
                let others = others(&head, &bytes).to_bytes();
                let bytes = Bytes::from(others).aligned();
                let head = Head::read(FileKind::Network, &bytes).map_err(file)?;
                Tokenizer::open(name, &bytes, &head)?
            }
            false => Tokenizer::open(name, &bytes, &head)?,
        };
        let opened = NetworkFile {
            config: config(record),
            tokenizer,
            network: Network::open(&bytes, &head).map_err(network)?,
        };
        opened.config.check(name)?;
        opened.check(name)?;
        Ok(opened)
    }

    /// Configuration, tokenizer and network have to fit one another.
    fn check(&self, name: &str) -> Result<()> {
        let (config, network) = (&self.config, &self.network);
        let dims = network.channels() * config.heads.len().max(1);
        let error = |place: &str, expected: String, found: usize| Error::Config {
            file: name.to_owned(),
            place: place.to_owned(),
            expected,
            found: found.to_string(),
        };
        if config.dims != dims {
            let expected = format!("{dims}, the network's");
            return Err(error("record, dims", expected, config.dims));
        }
        if config.max_positions > network.positions() {
            let expected = format!("at most {}, the network's", network.positions());
            return Err(error(
                "record, max_positions",
                expected,
                config.max_positions,
            ));
        }
        if let Some(id) = self.tokenizer.beyond(network.vocabulary()) {
            return Err(Error::TokenRange {
                file: name.to_owned(),
                rows: network.vocabulary(),
                id,
            });
        }
        Ok(())
    }
}

fn config(record: ConfigRecord) -> EncoderConfig {
    let heads = record.heads.into_iter().map(|head| PoolingHead {
        pooling: head.0.pooling.into(),
        weight: head.0.weight,
    });
    EncoderConfig {
        pooling: record.pooling.into(),
        heads: heads.collect(),
        normalize: true,
        max_tokens: record.max_tokens as usize,
        max_positions: record.max_positions as usize,
        dims: record.dims as usize,
        precision: Precision::Int8,
        model_sha256: record.model.to_string(),
        tokenizer_sha256: record.tokenizer.to_string(),
    }
}

/// A network file with codes of 4 bits instead: half of the bytes, and nearly the same vectors. Kernels run it as they run the
/// other. `name` names the file in errors.
///
/// # Errors
/// A file that is damaged, or whose parts do not fit one another.
pub fn in_four_bits(name: &str, bytes: &Bytes) -> Result<Vec<u8>> {
    let opened = NetworkFile::open(name, bytes.clone(), false)?;
    let head = Head::read(FileKind::Network, bytes).map_err(|source| Error::File {
        file: name.to_owned(),
        source,
    })?;
    let mut file = others(&head, bytes);
    opened.network.write(&mut file, Bits::Four);
    Ok(file.to_bytes())
}

/// A file of the sections that are not the network's.
fn others(head: &Head, bytes: &Bytes) -> FileWriter {
    let mut file = FileWriter::new(FileKind::Network, head.meta().to_vec());
    let others = head
        .sections()
        .filter(|section| !Network::owns(section.kind));
    for section in others {
        let content = bytes.get(section.range.clone()).unwrap_or_default();
        file.push(section.kind, section.index, content.to_vec());
    }
    file
}

/// The network file of an encoder.
#[cfg(feature = "onnx")]
pub(crate) fn write(
    config: &EncoderConfig,
    tokenizer: &[u8],
    network: &Network,
) -> Result<Vec<u8>> {
    let heads = config.heads.iter().map(|head| {
        wire::Record(HeadRecord {
            pooling: head.pooling.into(),
            weight: head.weight,
        })
    });
    let record = ConfigRecord {
        pooling: config.pooling.into(),
        heads: heads.collect(),
        max_tokens: config.max_tokens as u32,
        max_positions: config.max_positions as u32,
        dims: config.dims as u32,
        model: Digest::from_hex(&config.model_sha256).unwrap_or_default(),
        tokenizer: Digest::from_hex(&config.tokenizer_sha256).unwrap_or_default(),
    };
    let mut file = FileWriter::new(FileKind::Network, wire::encode(&record));
    Tokenizer::write(tokenizer, &mut file)?;
    network.write(&mut file, Bits::Eight);
    Ok(file.to_bytes())
}
