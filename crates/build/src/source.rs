//! The file of sources, `.nsi`: the texts and identifiers that items were made of, and how. Updates compare rows with it,
//! compaction builds from it; no search reads it.
//!
//! The meta record says how the shelf is built, and which shards the items are of. Section `SRCS` is a list of records, in the order
//! of these shards and of the places in them.

use nearshelf_catalog::Bytes;
use nearshelf_container::wire::{self, Record};
use nearshelf_container::{FileKind, FileWriter, Head, Kind, Storage};
use nearshelf_encoder::Encoder;
use nearshelf_index::Precision;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::items::{Items, Source};
use crate::options::BuildOptions;
use crate::words::WordTexts;

const SOURCES: Kind = Kind::new(b"SRCS");
/// A text by whose vector encoders are told apart.
const SAMPLE: &str = "a pair of red shoes, size 42";

/// The way in which a shelf is built.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recipe {
    pub shard_size: u32,
    pub ef_construction: u32,
    pub residual_bits: u32,
    pub recall: f64,
    pub synonyms: String,
    pub queries: Vec<(String, u64)>,
    /// The encoder of the items: see [`fingerprint`].
    pub encoder: [u8; 32],
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Meta {
    first_shard: u32,
    items: u64,
    recipe: Record<Recipe>,
}

/// The sources of the items of one build or update.
pub(crate) struct Sources {
    pub first_shard: usize,
    pub recipe: Recipe,
    pub items: Vec<Source>,
}

impl Recipe {
    /// That of a build.
    pub fn new(options: &BuildOptions, words: &WordTexts, encoder: [u8; 32]) -> Self {
        Recipe {
            shard_size: options.shard_size as u32,
            ef_construction: options.ef_construction as u32,
            residual_bits: options.precision.residual_bits(),
            recall: options.recall,
            synonyms: words.synonyms.clone(),
            queries: words.queries.clone(),
            encoder,
        }
    }

    /// The precision that vectors are stored with.
    pub fn precision(&self) -> Precision {
        Precision::of_bits(self.residual_bits).unwrap_or_default()
    }
}

/// A digest that tells an encoder from others: of the vector of one text.
///
/// # Errors
/// The text cannot be encoded.
pub(crate) fn fingerprint(encoder: &Encoder) -> Result<[u8; 32]> {
    let mut hash = Sha256::new();
    for x in encoder.encode(SAMPLE)?.vector {
        hash.update(x.to_le_bytes());
    }
    Ok(hash.finalize().into())
}

/// The file of the sources of items that are cut into shards.
pub(crate) fn write(
    recipe: &Recipe,
    first_shard: usize,
    items: &Items,
    members: &[Vec<u32>],
) -> Vec<u8> {
    let order = members.iter().flatten().map(|&item| item as usize);
    let sources: Vec<Record<Source>> = order.map(|item| Record(items.source(item))).collect();
    let meta = Meta {
        first_shard: first_shard as u32,
        items: sources.len() as u64,
        recipe: Record(recipe.clone()),
    };
    let mut file = FileWriter::new(FileKind::Items, wire::encode(&meta));
    file.push(SOURCES, 0, wire::encode(&sources));
    file.to_bytes()
}

/// Reads a file of sources.
///
/// # Errors
/// Damage of any kind.
pub(crate) fn read(bytes: &Bytes) -> nearshelf_container::Result<Sources> {
    let head = Head::read(FileKind::Items, bytes)?;
    head.verify(bytes)?;
    let meta: Meta = wire::decode("record", head.meta())?;
    let range = head.need(SOURCES, 0)?;
    let items: Vec<Record<Source>> = wire::decode("section SRCS", bytes.read(range)?)?;
    Ok(Sources {
        first_shard: meta.first_shard as usize,
        recipe: meta.recipe.0,
        items: items.into_iter().map(|item| item.0).collect(),
    })
}
