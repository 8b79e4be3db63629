//! Numbers that are owned, or read in place from a file.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, Range};
use std::sync::Arc;

use bytemuck::{AnyBitPattern, NoUninit};

use crate::bytes::Bytes;
use crate::error::{Error, Result};

#[cfg(target_endian = "big")]
compile_error!("files are little-endian and read in place");

/// A number that files hold: any bytes are one, and it has no bytes besides.
pub trait Number: AnyBitPattern + NoUninit {}

impl<T: AnyBitPattern + NoUninit> Number for T {}

/// Numbers that are owned, or read in place from a file's bytes. Cloning copies none of them.
pub struct Values<T>(Source<T>);

enum Source<T> {
    Owned(Arc<Vec<T>>),
    InPlace(Bytes, Range<usize>, PhantomData<T>),
}

impl<T: Number> Values<T> {
    /// The numbers in a range of a file. `place` names the range in errors.
    ///
    /// # Errors
    /// A range outside the file, of another length than a multiple of a number's, or at an address that such
    /// numbers do not have.
    pub fn in_place(bytes: &Bytes, range: Range<usize>, place: &str) -> Result<Self> {
        let found = bytes.get(range.clone());
        let numbers = found.map(bytemuck::try_cast_slice::<u8, T>);
        match numbers {
            Some(Ok(_)) => Ok(Values(Source::InPlace(bytes.clone(), range, PhantomData))),
            Some(Err(error)) => Err(Error::value(place, "numbers in place", error)),
            None => Err(Error::value(
                place,
                format!("a range inside the file's {} bytes", bytes.len()),
                format!("{} to {}", range.start, range.end),
            )),
        }
    }

    /// The numbers as a file has them.
    pub fn to_bytes(&self) -> Vec<u8> {
        bytemuck::cast_slice(self).to_vec()
    }
}

impl<T: Number> Deref for Values<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match &self.0 {
            Source::Owned(values) => values,
            // Both were checked when it was made.
            Source::InPlace(bytes, range, _) => bytemuck::cast_slice(&bytes[range.clone()]),
        }
    }
}

impl<T> From<Vec<T>> for Values<T> {
    fn from(values: Vec<T>) -> Self {
        Values(Source::Owned(Arc::new(values)))
    }
}

impl<T> Clone for Values<T> {
    fn clone(&self) -> Self {
        Values(match &self.0 {
            Source::Owned(values) => Source::Owned(values.clone()),
            Source::InPlace(bytes, range, _) => {
                Source::InPlace(bytes.clone(), range.clone(), PhantomData)
            }
        })
    }
}

impl<T: Number + PartialEq> PartialEq for Values<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Number> fmt::Debug for Values<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} values", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_place_are_the_files_own() {
        let bytes = Bytes::filled(100, |bytes| {
            bytes[64..72].copy_from_slice(bytemuck::cast_slice(&[1.5f32, -2.0]));
        });
        let values = Values::<f32>::in_place(&bytes, 64..72, "here").unwrap();
        assert_eq!(*values, [1.5, -2.0]);
        assert!(std::ptr::eq(values.as_ptr().cast(), &raw const bytes[64]));
        assert_eq!(values.clone(), Values::from(vec![1.5, -2.0]));
        assert_eq!(values.to_bytes(), bytes[64..72]);
        for range in [64..71, 66..70, 96..104, 200..204] {
            assert!(Values::<f32>::in_place(&bytes, range, "here").is_err());
        }
    }
}
