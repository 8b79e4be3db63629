//! Text columns: texts that often stand twice, such as brands, as numbers of a dictionary's words; others, such as
//! titles, one behind the other, whichever takes fewer bytes.

use std::collections::HashMap;

use nearshelf_container::{Absent, Kind, Storage};
use nearshelf_index::{Allowed, Shard, ShardBuilder};

use super::dictionary::{self, Dictionary};
use super::plain;
use crate::error::{Error, Result};

/// The number of each item's text in the dictionary: `u16 [items]`. A shard has no more texts than items.
pub(super) const NUMBERS: Kind = Kind::new(b"TXTN");

/// Checks that the sections of a column are there, of the right sizes.
pub(super) fn check<S: Storage>(shard: &Shard<S>, column: u32) -> nearshelf_container::Result<()> {
    let (head, items) = (shard.head(), shard.len() as u64);
    match head.find(NUMBERS, column) {
        Some(_) => {
            head.need(dictionary::STARTS, column)?;
            head.sized(NUMBERS, column, 2 * items)?;
        }
        None => {
            head.sized(plain::STARTS, column, 4 * (items + 1))?;
        }
    }
    Ok(())
}

pub(super) fn write(shard: &mut ShardBuilder, column: u32, texts: &[&str]) -> Result<()> {
    let mut words = texts.to_vec();
    words.sort_unstable();
    words.dedup();
    let bytes = |texts: &[&str]| texts.iter().map(|text| text.len() + 4).sum::<usize>();
    if bytes(&words) + 2 * texts.len() >= bytes(texts) {
        return plain::write(shard, column, plain::TEXTS, texts);
    }
    let numbers: HashMap<&str, usize> = words.iter().copied().zip(0..).collect();
    let number = |text: &&str| {
        u16::try_from(numbers[*text]).map_err(|_| Error::Mismatch {
            file: "shard".into(),
            place: format!("column {column}"),
            expected: "at most 65,536 texts that differ".into(),
            found: words.len().to_string(),
        })
    };
    let mut bytes = Vec::with_capacity(2 * texts.len());
    for text in texts {
        bytes.extend(number(text)?.to_le_bytes());
    }
    shard.section(NUMBERS, column, bytes);
    dictionary::write(shard, column, &words)
}

pub(super) fn read<S: Storage>(
    shard: &Shard<S>,
    column: u32,
    item: u32,
) -> Result<Option<&str>, Absent> {
    if shard.head().find(NUMBERS, column).is_none() {
        return plain::read(shard, column, plain::TEXTS, item);
    }
    let at = 2 * item as usize;
    let number = shard.part(NUMBERS, column, at..at + 2)?;
    match number.and_then(|raw| raw.first_chunk().copied()) {
        Some(raw) => dictionary::word(shard, column, u16::from_le_bytes(raw).into()),
        None => Ok(None),
    }
}

/// The texts of all items of a shard.
pub(super) enum Texts<'a> {
    /// As numbers of words.
    Numbers(&'a [[u8; 2]], Dictionary<'a>),
    /// One behind the other: where each starts, and the texts.
    Plain(&'a [[u8; 4]], &'a [u8]),
}

impl<'a> Texts<'a> {
    /// Reads a column.
    ///
    /// # Errors
    /// Its sections are not here.
    pub fn all<S: Storage>(shard: &'a Shard<S>, column: u32) -> Result<Self, Absent> {
        if let Some(numbers) = shard.section(NUMBERS, column)? {
            return Ok(Texts::Numbers(
                numbers.as_chunks().0,
                Dictionary::read(shard, column)?,
            ));
        }
        let starts = shard.section(plain::STARTS, column)?.unwrap_or_default();
        let bytes = shard.section(plain::BYTES, column)?.unwrap_or_default();
        Ok(Texts::Plain(starts.as_chunks().0, bytes))
    }

    /// The text of an item.
    pub fn of(&self, item: u16) -> Option<&'a str> {
        let item = usize::from(item);
        match self {
            Texts::Numbers(numbers, dictionary) => {
                let number = numbers.get(item)?;
                dictionary.word(u16::from_le_bytes(*number).into())
            }
            Texts::Plain(starts, bytes) => {
                let start = |at: usize| starts.get(at).map(|&raw| u32::from_le_bytes(raw) as usize);
                let text = bytes.get(start(item)?..start(item + 1)?)?;
                std::str::from_utf8(text).ok()
            }
        }
    }
}

/// Items whose text is one of `words`, which rise.
pub(super) fn matching<S: Storage>(
    shard: &Shard<S>,
    column: u32,
    words: &[String],
) -> Result<Allowed, Absent> {
    let texts = Texts::all(shard, column)?;
    Ok(match &texts {
        Texts::Numbers(numbers, dictionary) => {
            let wanted = dictionary.marks(words);
            Allowed::where_(shard.len(), |item| {
                let number = numbers.get(usize::from(item));
                let number = number.map(|&raw| usize::from(u16::from_le_bytes(raw)));
                number.is_some_and(|number| wanted.get(number) == Some(&true))
            })
        }
        Texts::Plain(..) => Allowed::where_(shard.len(), |item| {
            let wanted = |text: &str| {
                words
                    .binary_search_by(|word| word.as_str().cmp(text))
                    .is_ok()
            };
            texts.of(item).is_some_and(wanted)
        }),
    })
}
