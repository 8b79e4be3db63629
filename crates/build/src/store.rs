//! Where the files of a shelf are written: into a directory in the making, or beside those of a shelf that is there.

use std::path::PathBuf;

use nearshelf_catalog::FileRef;

use crate::error::Result;
use crate::target::Target;

/// A directory that files of a shelf are written into, each there whole or not at all.
pub(crate) trait Store: Sync {
    /// Writes a file whose name holds its content's hash.
    fn write(&self, stem: &str, extension: &str, bytes: &[u8]) -> Result<FileRef>;

    /// The place of a file of this name.
    fn path(&self, name: &str) -> PathBuf;
}

impl Store for Target {
    fn write(&self, stem: &str, extension: &str, bytes: &[u8]) -> Result<FileRef> {
        let file = FileRef::of(stem, extension, bytes);
        self.write_named(&file.name, bytes)?;
        Ok(file)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.file(name)
    }
}
