//! Errors of the bytes of a file.

use std::fmt;

use crate::kind::Kind;
use crate::storage::Absent;

/// The subject of an error. Status codes of the C library, codes of the npm package and exit codes of the
/// command line follow from it; it is exhaustive, so that none of them can forget one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A file could not be read or written.
    Io,
    /// A file, or a part of it, that is needed now is not there.
    Missing,
    /// A file is damaged, or not what it should be.
    Damaged,
    /// A file is another than the manifest describes.
    Altered,
    /// A file was made for newer readers.
    TooNew,
    /// The runtime was built without what the file needs.
    Unsupported,
    /// A query or an option is not one that the shelf takes.
    Usage,
    /// A text could not be encoded.
    Encoding,
}

/// A fault in the bytes of a file. The caller knows the file's name and adds it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The first eight bytes are not those of the format.
    #[error("header, byte 0: expected the magic {expected:02x?}, found {found:02x?}")]
    Magic {
        /// The magic of the format.
        expected: [u8; 8],
        /// The file's first bytes, fewer than eight in a very short file.
        found: Vec<u8>,
    },
    /// The file was written for readers newer than this one.
    #[error(
        "header, byte 12: expected a format that readers of version {supported} can read, found one \
         that needs version {needed} (written as version {written}); update nearshelf"
    )]
    TooNew {
        /// The newest version that this build reads.
        supported: u32,
        /// The oldest reader version that the file asks for.
        needed: u32,
        /// The version that the file was written in.
        written: u32,
    },
    /// The file was written in a version that is not read any more.
    #[error("header, byte 8: expected format version {oldest} or newer, found {found}")]
    TooOld {
        /// The oldest version that this build reads.
        oldest: u32,
        /// The version that the file was written in.
        found: u32,
    },
    /// The file uses something that this reader does not know, such as a layout of codes.
    #[error("{place}: expected {expected}, found {found}; update nearshelf")]
    Unknown {
        /// Record or section.
        place: String,
        /// The values that this reader knows.
        expected: String,
        /// The value found.
        found: String,
    },
    /// The file is shorter or longer than its header says.
    #[error("header, byte 16: expected a file of {expected} bytes, found {found}")]
    Length {
        /// Bytes by the header.
        expected: u64,
        /// Bytes at hand.
        found: u64,
    },
    /// A checksum or a block digest does not fit the bytes.
    #[error("{place}: expected checksum {expected}, found {found}")]
    Checksum {
        /// Which bytes: the head, a section, a block.
        place: String,
        /// The stored checksum, in hexadecimal.
        expected: String,
        /// The checksum of the bytes at hand.
        found: String,
    },
    /// A part of a file that came alone is not the part that was asked for.
    #[error("bytes {start} to {end}: expected {expected}, found {found}")]
    Range {
        /// First byte of the range.
        start: u64,
        /// One past its last byte.
        end: u64,
        /// The length that was asked for, or the digest in the head.
        expected: String,
        /// The length or digest of the bytes that came.
        found: String,
    },
    /// Bytes that have not come yet.
    #[error(transparent)]
    Absent(#[from] Absent),
    /// A section that every such file needs is missing.
    #[error("section table: expected a section {kind}, found none")]
    MissingSection {
        /// The section's kind.
        kind: Kind,
    },
    /// A value is outside what the format allows.
    #[error("{place}: expected {expected}, found {found}")]
    Value {
        /// Header field, record or section.
        place: String,
        /// The most that the format allows.
        expected: String,
        /// The value found.
        found: String,
    },
}

impl Error {
    /// A value that the format does not allow.
    pub fn value(
        place: impl Into<String>,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> Self {
        Error::Value {
            place: place.into(),
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }

    /// The kind of error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::TooNew { .. } | Error::Unknown { .. } => ErrorKind::TooNew,
            Error::Absent(_) => ErrorKind::Missing,
            Error::Range { .. } => ErrorKind::Altered,
            Error::Magic { .. }
            | Error::TooOld { .. }
            | Error::Length { .. }
            | Error::Checksum { .. }
            | Error::MissingSection { .. }
            | Error::Value { .. } => ErrorKind::Damaged,
        }
    }
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
