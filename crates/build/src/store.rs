//! Where the files of a shelf are written: into a directory in the making, or beside those of a shelf that is there.

use std::path::{Path, PathBuf};

use nearshelf_catalog::FileRef;

use crate::error::{Error, Result};
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

/// The directory of a shelf, whose files stay as they are: new ones have other names, as they have another content.
pub(crate) struct Beside<'a>(pub &'a Path);

impl Store for Beside<'_> {
    fn write(&self, stem: &str, extension: &str, bytes: &[u8]) -> Result<FileRef> {
        let file = FileRef::of(stem, extension, bytes);
        let path = self.path(&file.name);
        nearshelf_files::write_bytes(&path, bytes).map_err(|e| Error::io(&path, e))?;
        Ok(file)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}
