//! The directory that a build fills: beside its final place, and under its name only when complete.

use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use nearshelf_catalog::MANIFEST_NAME;

use crate::error::{Error, Result};

/// Names of directories in the making begin so.
const IN_THE_MAKING: &str = ".nearshelf-build-";
/// Names of directories that hold what a build replaces begin so.
const REPLACED: &str = ".nearshelf-old-";
/// A file of a directory in the making, locked for as long as its build lives.
const LOCK: &str = ".lock";

/// A directory that is filled beside its final place.
pub struct Target {
    out: PathBuf,
    /// Closed before the directory goes, as some systems remove no open files.
    lock: File,
    /// Removed with all that is in it when the build fails.
    directory: tempfile::TempDir,
}

impl Target {
    /// Makes the directory, and removes those that killed builds left beside it. The file `name` of the first of those that
    /// `wanted` takes is moved into the new one.
    pub fn new(out: &Path, name: &str, wanted: impl Fn(&Path) -> bool) -> Result<Self> {
        let parent = parent(out);
        let error = |e| Error::io(parent, e);
        fs::create_dir_all(parent).map_err(error)?;
        let directory = tempfile::Builder::new()
            .prefix(IN_THE_MAKING)
            .tempdir_in(parent)
            .map_err(error)?;
        let lock = File::create_new(directory.path().join(LOCK)).map_err(error)?;
        lock.lock().map_err(error)?;
        // Only now may it be taken for a dead build's when it can be locked.
        (&lock).write_all(b"locked\n").map_err(error)?;
        let to = directory.path().join(name);
        collect(parent, |dead| {
            let from = dead.join(name);
            if !to.exists() && wanted(&from) {
                // What cannot be moved is made anew.
                let _ = fs::rename(from, &to);
            }
        });
        Ok(Target {
            out: out.to_owned(),
            lock,
            directory,
        })
    }

    /// The place of a file of this name.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn write_named(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.file(name);
        let write = || {
            let mut file = BufWriter::new(File::create_new(&path)?);
            file.write_all(bytes)?;
            file.into_inner()?.sync_all()
        };
        write().map_err(|e| Error::io(&self.out.join(name), e))
    }

    /// Removes a file that is no part of the shelf.
    pub fn remove(&self, name: &str) -> Result<()> {
        let path = self.file(name);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io(&path, e)),
            _ => Ok(()),
        }
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
        fs::remove_file(complete.join(LOCK)).map_err(error)?;
        if fs::exists(&self.out).map_err(error)? {
            let old = tempfile::Builder::new()
                .prefix(REPLACED)
                .tempdir_in(parent(&self.out))
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
        let Target {
            lock, directory, ..
        } = self;
        drop(lock);
        let _ = directory.keep();
        Ok(())
    }
}

fn parent(out: &Path) -> &Path {
    match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Removes the directories in the making whose builds were killed: those whose lock is free. What cannot be removed stays;
/// the build at hand does not need it gone. Each is first shown to `before`.
fn collect(parent: &Path, before: impl Fn(&Path)) {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    for entry in entries.filter(|e| e.file_name().to_string_lossy().starts_with(IN_THE_MAKING)) {
        let Ok(lock) = File::open(entry.path().join(LOCK)) else {
            continue;
        };
        let was_locked = lock.metadata().is_ok_and(|about| about.len() > 0);
        if was_locked && lock.try_lock().is_ok() {
            drop(lock);
            before(&entry.path());
            let _ = fs::remove_dir_all(entry.path());
        }
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
