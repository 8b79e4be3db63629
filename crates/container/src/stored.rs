//! A file as its caller attached it: whole, or in part.

use std::ops::Range;

use crate::bytes::Bytes;
use crate::ranges::Ranges;
use crate::storage::{Absent, Storage};

/// A file that is here whole or in part, as the caller attached it.
#[derive(Debug, Clone)]
pub enum Stored {
    /// All of it.
    Whole(Bytes),
    /// The ranges that have come.
    Ranges(Ranges),
}

impl Storage for Stored {
    fn length(&self) -> usize {
        match self {
            Stored::Whole(bytes) => bytes.length(),
            Stored::Ranges(ranges) => ranges.length(),
        }
    }

    fn read(&self, range: Range<usize>) -> Result<&[u8], Absent> {
        match self {
            Stored::Whole(bytes) => bytes.read(range),
            Stored::Ranges(ranges) => ranges.read(range),
        }
    }
}

impl From<Bytes> for Stored {
    fn from(bytes: Bytes) -> Self {
        Stored::Whole(bytes)
    }
}
