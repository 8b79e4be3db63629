//! Kinds of files and of sections.

use std::fmt;

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A part of a catalog, `.nss`.
    Shard,
    /// An encoder, `.nsn`.
    Network,
    /// The words that all shards of a shelf share, `.nsw`.
    Words,
    /// New values of items, and items that are gone, `.nsc`.
    Changes,
    /// The texts that items were made of, for tools, `.nsi`.
    Items,
    /// A shelf's table of contents, `.nsm`.
    Manifest,
}

impl FileKind {
    /// The first bytes of such a file. As in PNG, a high byte and line ends show transfers that changed text.
    pub const fn magic(self) -> [u8; 8] {
        match self {
            FileKind::Shard => *b"\x89NSS\r\n\x1a\n",
            FileKind::Network => *b"\x89NSN\r\n\x1a\n",
            FileKind::Words => *b"\x89NSW\r\n\x1a\n",
            FileKind::Changes => *b"\x89NSC\r\n\x1a\n",
            FileKind::Items => *b"\x89NSI\r\n\x1a\n",
            FileKind::Manifest => *b"\x89NSM\r\n\x1a\n",
        }
    }
}

/// The content of a section: four ASCII letters, read as a little-endian number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(pub u32);

impl Kind {
    /// The kind with these four letters.
    pub const fn new(letters: &[u8; 4]) -> Self {
        Kind(u32::from_le_bytes(*letters))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = self.0.to_le_bytes();
        if letters.iter().all(u8::is_ascii_graphic) {
            letters
                .iter()
                .try_for_each(|&b| write!(f, "{}", char::from(b)))
        } else {
            write!(f, "{:08x}", self.0)
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
