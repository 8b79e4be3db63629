//! The bytes of a whole file, however they came here. No form of them copies when it is cloned.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

/// A cache line: the unit that aligned copies are made of.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// Bytes on the heap that begin at a multiple of 64.
pub struct AlignedBytes {
    lines: Vec<Line>,
    length: usize,
}

impl AlignedBytes {
    /// Zeros.
    pub fn zeros(length: usize) -> Self {
        AlignedBytes {
            lines: vec![Line([0; 64]); length.div_ceil(64)],
            length,
        }
    }

    fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.lines)[..self.length]
    }

    /// The bytes, to write them.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.length]
    }
}

/// The bytes of a file.
#[derive(Clone)]
pub enum Bytes {
    /// A memory-mapped file.
    #[cfg(not(target_arch = "wasm32"))]
    Mapped(Arc<memmap2::Mmap>),
    /// Bytes on the heap, such as those of a download.
    Owned(Arc<Vec<u8>>),
    /// Bytes on the heap at a multiple of 64.
    Aligned(Arc<AlignedBytes>),
    /// Bytes of the program itself.
    Static(&'static [u8]),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            #[cfg(not(target_arch = "wasm32"))]
            Bytes::Mapped(map) => map,
            Bytes::Owned(bytes) => bytes,
            Bytes::Aligned(bytes) => bytes.bytes(),
            Bytes::Static(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::Owned(Arc::new(bytes))
    }
}

impl From<AlignedBytes> for Bytes {
    fn from(bytes: AlignedBytes) -> Self {
        Bytes::Aligned(Arc::new(bytes))
    }
}

impl fmt::Debug for AlignedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.length)
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

impl Bytes {
    /// Aligned bytes of a length, which `fill` writes.
    pub fn filled(length: usize, fill: impl FnOnce(&mut [u8])) -> Self {
        let mut bytes = AlignedBytes::zeros(length);
        fill(bytes.bytes_mut());
        bytes.into()
    }

    /// The same bytes at a multiple of 64: as they are, or a copy where they lie elsewhere.
    #[must_use]
    pub fn aligned(self) -> Self {
        if self.as_ptr().addr().is_multiple_of(64) {
            return self;
        }
        Bytes::filled(self.len(), |copy| copy.copy_from_slice(&self))
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
        // SAFETY: the map is only read, and the files of shelves and models are immutable: tools write
        // new ones and never change one in place. Should another program cut one short all the same,
        // the system ends this process (SIGBUS), as with any mapped file; memory stays sound.
        let map = unsafe { memmap2::Mmap::map(&file)? };
        Ok(Bytes::Mapped(Arc::new(map)))
    }
}

/// Gives the system back what the heap holds and nobody uses, such as after a model was read: glibc would
/// keep it, as large as the model.
pub fn trim_heap() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the call has no preconditions and touches free memory alone.
    unsafe {
        libc::malloc_trim(0);
    }
}

impl Bytes {
    /// Lets the system have the pages of a mapped file back that were read so far. What is looked at
    /// again is read again.
    pub fn release(&self) {
        #[cfg(unix)]
        if let Bytes::Mapped(map) = self {
            // SAFETY: the map is of a file and is never written to, so that pages that are dropped come
            // back with the same bytes. That the system refuses changes nothing but its use of memory.
            let _ = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn an_aligned_copy_holds_the_same_bytes() {
        let content: Vec<u8> = (0..1000u32).map(|i| i as u8).collect();
        for start in 0..9 {
            let part: &'static [u8] = content[start..].to_vec().leak();
            let bytes = Bytes::Static(&part[start..]).aligned();
            assert!(bytes.as_ptr().addr().is_multiple_of(64));
            assert_eq!(&*bytes, &part[start..]);
        }
        assert!(Bytes::filled(0, |_| ()).is_empty());
    }

    #[test]
    fn released_pages_come_back_as_they_were() {
        let path = std::env::temp_dir().join(format!("nearshelf-bytes-{}", std::process::id()));
        let content: Vec<u8> = (0..100_000u32).map(|i| (i % 251) as u8).collect();
        std::fs::write(&path, &content).unwrap();
        let bytes = Bytes::map(&path).unwrap();
        assert_eq!(&*bytes, &*content);
        bytes.clone().release();
        assert_eq!(&*bytes, &*content);
        std::fs::write(&path, []).unwrap();
        assert!(Bytes::map(&path).unwrap().is_empty());
        std::fs::remove_file(&path).unwrap();
    }
}
