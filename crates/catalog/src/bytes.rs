use std::fmt;

/// The bytes of a file, however they came here. None of the forms copies them.
pub enum Bytes {
    /// A memory-mapped file.
    #[cfg(not(target_arch = "wasm32"))]
    Mapped(memmap2::Mmap),
    /// Bytes on the heap, say those of a download.
    Owned(Vec<u8>),
    /// Bytes of the program itself.
    Static(&'static [u8]),
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            #[cfg(not(target_arch = "wasm32"))]
            Bytes::Mapped(map) => map,
            Bytes::Owned(bytes) => bytes,
            Bytes::Static(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.as_ref().len())
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Bytes {
    /// Maps a file. Its pages are read when they are first looked at.
    ///
    /// # Errors
    /// Those of the system.
    pub fn map(path: &std::path::Path) -> std::io::Result<Self> {
        let file = std::fs::File::open(path)?;
        if file.metadata()?.len() == 0 {
            // An empty range cannot be mapped everywhere.
            return Ok(Bytes::Static(&[]));
        }
        // SAFETY: the map is only read, and a shelf's files are immutable: builds write new names and
        // never change a file in place. Should another program cut one short all the same, the system
        // ends this process (SIGBUS), as with any mapped file; memory stays sound.
        let map = unsafe { memmap2::Mmap::map(&file)? };
        Ok(Bytes::Mapped(map))
    }
}
