//! Texts as token ids.
//!
//! BERT's tokenizers are tables of the network file, read in place ([`WordPiece`]). Any other is a
//! `tokenizer.json`, which the tokenizers library reads.

#[cfg(feature = "onnx")]
mod convert;
mod library;
mod tokens;
mod word_piece;

#[cfg(feature = "onnx")]
use nearshelf_container::FileWriter;
use nearshelf_container::{Bytes, Head, Kind};

use crate::error::{Error, Result};
use library::Library;
pub use tokens::Tokens;
pub(crate) use word_piece::WordPiece;

/// A `tokenizer.json`, where the tokenizer is none of tables.
const JSON: Kind = Kind::new(b"TOKJ");

/// A tokenizer that truncates and never pads.
pub struct Tokenizer(Kinds);

#[expect(clippy::large_enum_variant, reason = "an encoder holds one of them")]
enum Kinds {
    Tables(WordPiece),
    Library(Box<Library>),
}

impl Tokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// Not a tokenizer of Hugging Face's.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        Ok(Tokenizer(Kinds::Library(Box::new(Library::from_json(
            json,
        )?))))
    }

    /// Reads the sections of a network file.
    pub(crate) fn open(name: &str, bytes: &Bytes, head: &Head) -> Result<Self> {
        if let Some(json) = head.find(JSON, 0) {
            return Self::from_json(bytes.get(json).unwrap_or_default());
        }
        let tables = WordPiece::open(bytes, head).map_err(|source| Error::File {
            file: name.to_owned(),
            source,
        })?;
        Ok(Tokenizer(Kinds::Tables(tables)))
    }

    /// Writes a `tokenizer.json` as sections of a network file: as tables where it can be one of them.
    #[cfg(feature = "onnx")]
    pub(crate) fn write(json: &[u8], file: &mut FileWriter) -> Result<()> {
        let library = Library::from_json(json)?;
        match convert::convert(json, &library) {
            Some(tables) => tables.write(file),
            None => file.push(JSON, 0, json.to_vec()),
        }
        Ok(())
    }

    /// The largest id of a token, at least where it is `rows` or more.
    pub(crate) fn beyond(&self, rows: usize) -> Option<u32> {
        match &self.0 {
            Kinds::Tables(tables) => Some(tables.largest_id()).filter(|&id| id as usize >= rows),
            // Vocabularies have no gaps: where there is an id that is too large, this is one.
            Kinds::Library(library) => {
                let id = u32::try_from(rows).ok()?;
                library.has(id).then_some(id)
            }
        }
    }

    /// The ids of a text, cut to `max_tokens` with the special tokens kept.
    ///
    /// # Errors
    /// The tokenizer library's own.
    pub fn encode(&self, text: &str, max_tokens: usize) -> Result<Tokens> {
        match &self.0 {
            Kinds::Tables(tables) => tables.encode(text, max_tokens),
            Kinds::Library(library) => library.encode(text, max_tokens),
        }
    }
}
