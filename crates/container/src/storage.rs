//! Where the bytes of a file are: all here, or in part.

use std::ops::Range;

use crate::bytes::Bytes;

/// Bytes of a file that have not come yet: another answer than that there are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bytes {} to {}: not here yet", .0.start, .0.end)]
pub struct Absent(pub Range<usize>);

/// The bytes of a file, by range.
///
/// A range that was read once stays where it is for as long as the storage is not changed.
pub trait Storage {
    /// Bytes of the whole file, here or not.
    fn length(&self) -> usize;

    /// The bytes of a range.
    ///
    /// # Errors
    /// The range, where not all of it is here.
    fn read(&self, range: Range<usize>) -> Result<&[u8], Absent>;
}

/// A range of bytes that are all here.
fn whole(bytes: &[u8], range: Range<usize>) -> Result<&[u8], Absent> {
    bytes.get(range.clone()).ok_or(Absent(range))
}

impl Storage for Bytes {
    fn length(&self) -> usize {
        self.len()
    }

    fn read(&self, range: Range<usize>) -> Result<&[u8], Absent> {
        whole(self, range)
    }
}

impl Storage for Vec<u8> {
    fn length(&self) -> usize {
        self.len()
    }

    fn read(&self, range: Range<usize>) -> Result<&[u8], Absent> {
        whole(self, range)
    }
}

impl Storage for &[u8] {
    fn length(&self) -> usize {
        self.len()
    }

    fn read(&self, range: Range<usize>) -> Result<&[u8], Absent> {
        whole(self, range)
    }
}
