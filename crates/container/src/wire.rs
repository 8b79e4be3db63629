//! Records: structs in postcard that can grow at their end without breaking readers.
//!
//! - An older reader takes the fields that it knows and leaves the rest of the record unread.
//! - A newer reader takes fields that an older record lacks as zero, empty or none.
//!
//! A record inside another one is wrapped in [`Record`], so that each can grow by itself. Fields are never
//! removed or reordered; that, and a new variant that older readers would misread, takes a new version of the
//! file.

use postcard::de_flavors::Flavor;
use serde::de::{DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Result};

/// Bytes of the fields that an older record lacks, at most.
const GROWTH: usize = 1024;

/// A record's bytes.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("a Vec takes any bytes")
}

/// Reads a record; `place` names it in errors.
///
/// # Errors
/// Bytes that are not such a record.
pub fn decode<T: DeserializeOwned>(place: &str, bytes: &[u8]) -> Result<T> {
    from_grown(bytes).map_err(|e| Error::value(place, "a record", e))
}

fn from_grown<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> postcard::Result<T> {
    T::deserialize(&mut postcard::Deserializer::from_flavor(Grown {
        rest: bytes,
        absent: GROWTH,
    }))
}

/// A record's bytes, with zeros behind them for the fields that it lacks.
struct Grown<'de> {
    rest: &'de [u8],
    /// Zeros that may still be read: a forged length does not make them endless.
    absent: usize,
}

impl Grown<'_> {
    fn zeros(&mut self, count: usize) -> postcard::Result<()> {
        self.absent = self
            .absent
            .checked_sub(count)
            .ok_or(postcard::Error::DeserializeUnexpectedEnd)?;
        Ok(())
    }
}

impl<'de> Flavor<'de> for Grown<'de> {
    type Remainder = &'de [u8];
    type Source = &'de [u8];

    fn pop(&mut self) -> postcard::Result<u8> {
        match self.rest.split_first() {
            Some((&byte, rest)) => {
                self.rest = rest;
                Ok(byte)
            }
            None => self.zeros(1).map(|()| 0),
        }
    }

    fn try_take_n(&mut self, count: usize) -> postcard::Result<&'de [u8]> {
        // A number of an absent field. Texts are longer, and never begun in the record and ended outside of it.
        if self.rest.is_empty() && count <= 8 {
            self.zeros(count)?;
            return Ok(&[0; 8][..count]);
        }
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(postcard::Error::DeserializeUnexpectedEnd)?;
        self.rest = rest;
        Ok(taken)
    }

    fn finalize(self) -> postcard::Result<&'de [u8]> {
        Ok(self.rest)
    }
}

/// A record inside another one: its length, then its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Record<T>(pub T);

impl<T: Serialize> Serialize for Record<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&encode(&self.0))
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Record<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes<T>(std::marker::PhantomData<T>);
        impl<T: DeserializeOwned> Visitor<'_> for Bytes<T> {
            type Value = Record<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a record's bytes")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Record<T>, E> {
                from_grown(bytes).map(Record).map_err(E::custom)
            }
        }
        deserializer.deserialize_bytes(Bytes(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Old {
        name: String,
        parts: Vec<Record<OldPart>>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct OldPart {
        items: u32,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct New {
        name: String,
        parts: Vec<Record<NewPart>>,
        language: Option<String>,
        digest: [u8; 32],
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct NewPart {
        items: u32,
        dead: u64,
        words: Vec<String>,
    }

    #[test]
    fn a_field_is_added_and_old_readers_open_it() {
        let part = |items| NewPart {
            items,
            dead: 7,
            words: vec!["oak".into()],
        };
        let new = New {
            name: "shelf".into(),
            parts: [1, 2].map(|items| Record(part(items))).into(),
            language: Some("en".into()),
            digest: [9; 32],
        };
        let old: Old = decode("test", &encode(&new)).unwrap();
        assert_eq!(old.name, "shelf");
        assert_eq!(old.parts, [1, 2].map(|items| Record(OldPart { items })));
    }

    #[test]
    fn new_readers_open_a_record_without_the_field() {
        let old = Old {
            name: "shelf".into(),
            parts: vec![Record(OldPart { items: 3 })],
        };
        let new: New = decode("test", &encode(&old)).unwrap();
        assert_eq!((new.language, new.digest), (None, [0; 32]));
        let part = &new.parts[0].0;
        assert_eq!((part.items, part.dead, part.words.len()), (3, 0, 0));
    }

    #[test]
    fn a_length_beyond_the_record_is_an_error() {
        assert!(decode::<Old>("test", &[200, 1, 2]).is_err());
        assert!(decode::<Old>("test", &[0xff; 20]).is_err());
        // Two billion numbers, none of which is there.
        assert!(decode::<Vec<u64>>("test", &[255, 255, 255, 255, 7]).is_err());
    }
}
