//! The directory that a build fills: beside its final place, and under its name only when complete.

use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use nearshelf_catalog::{FileRef, MANIFEST_NAME};

use crate::error::{Error, Result};

/// A directory that is filled beside its final place.
pub struct Target {
    out: PathBuf,
    /// Removed with all that is in it when the build fails.
    directory: tempfile::TempDir,
}

impl Target {
    pub fn new(out: &Path) -> Result<Self> {
        let parent = match out.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(|e| Error::io(parent, e))?;
        let directory = tempfile::Builder::new()
            .prefix(".nearshelf-build-")
            .tempdir_in(parent)
            .map_err(|e| Error::io(parent, e))?;
        Ok(Target {
            out: out.to_owned(),
            directory,
        })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file whose name holds its content's hash.
    pub fn write(&self, stem: &str, extension: &str, bytes: &[u8]) -> Result<FileRef> {
        let file = FileRef::of(stem, extension, bytes);
        self.write_named(&file.name, bytes)?;
        Ok(file)
    }

    pub fn write_named(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path(name);
        let write = || {
            let mut file = BufWriter::new(File::create_new(&path)?);
            file.write_all(bytes)?;
            file.into_inner()?.sync_all()
        };
        write().map_err(|e| Error::io(&self.out.join(name), e))
    }

    /// Gives the directory its name. What was there before goes when the new one is in place.
    pub fn publish(self) -> Result<()> {
        let error = |e| Error::io(&self.out, e);
        let complete = self.directory.path();
        #[cfg(unix)]
        {
            // Temporary directories are private to their maker; a shelf is made to be read.
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(complete, fs::Permissions::from_mode(0o755)).map_err(error)?;
        }
        if fs::exists(&self.out).map_err(error)? {
            let old = tempfile::Builder::new()
                .prefix(".nearshelf-old-")
                .tempdir_in(complete.parent().unwrap_or(Path::new(".")))
                .map_err(error)?;
            let aside = old.path().join("shelf");
            fs::rename(&self.out, &aside).map_err(error)?;
            if let Err(e) = fs::rename(complete, &self.out) {
                // Back to how it was; the error that matters is the first.
                let _ = fs::rename(&aside, &self.out);
                return Err(error(e));
            }
        } else {
            fs::rename(complete, &self.out).map_err(error)?;
        }
        // Renamed away: there is nothing left to remove.
        let _ = self.directory.keep();
        Ok(())
    }
}

/// A shelf may be replaced and an empty directory filled; anything else stays untouched.
pub fn check_target(out: &Path) -> Result<()> {
    let mut entries = match fs::read_dir(out) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(Error::io(out, e)),
    };
    let shelf = out.join(MANIFEST_NAME).is_file();
    if !shelf && entries.next().is_some() {
        return Err(Error::Occupied {
            path: out.to_owned(),
        });
    }
    Ok(())
}
