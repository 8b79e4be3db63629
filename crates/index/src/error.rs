use crate::format::Kind;

/// What can be wrong with the bytes of a shard. The caller knows the file's name and adds it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The first eight bytes are not those of the format.
    #[error("header, byte 0: expected the magic {expected:02x?}, found {found:02x?}")]
    Magic {
        /// The magic of the format.
        expected: [u8; 8],
        /// What the file starts with (shorter than eight bytes in a very short file).
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
    /// The file is shorter or longer than its header says.
    #[error("header, byte 16: expected a file of {expected} bytes, found {found}")]
    Length {
        /// Bytes by the header.
        expected: u64,
        /// Bytes at hand.
        found: u64,
    },
    /// A checksum does not fit the bytes.
    #[error("{place}: expected checksum {expected:016x}, found {found:016x}")]
    Checksum {
        /// Which bytes: the header, or a section.
        place: String,
        /// The stored checksum.
        expected: u64,
        /// The checksum of the bytes at hand.
        found: u64,
    },
    /// A section that every shard needs is missing.
    #[error("section table: expected a section {kind}, found none")]
    MissingSection {
        /// The section's kind.
        kind: Kind,
    },
    /// A value is outside what the format allows.
    #[error("{place}: expected {expected}, found {found}")]
    Value {
        /// Header field or section.
        place: String,
        /// What the format allows.
        expected: String,
        /// What is there.
        found: String,
    },
}

impl Error {
    pub(crate) fn value(
        place: impl Into<String>,
        expected: impl ToString,
        found: impl ToString,
    ) -> Self {
        Error::Value {
            place: place.into(),
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
