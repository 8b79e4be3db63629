//! The place of a shelf that is brought up to date. Its files have the names of their content and stay; the manifest is replaced
//! last. Manifests that were, with their files, stay for as long as pages may have them open.

use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use nearshelf_catalog::{FileRef, MANIFEST_NAME, Manifest};

use super::opened::Opened;
use crate::error::{Error, Result};
use crate::store::Store;
use crate::target::{Target, check_target};

/// A file of a shelf's directory that is locked while an update is at work.
const LOCK: &str = ".lock";
/// Manifests that were: this, a number that rises, and the manifest's extension.
const BEFORE: &str = "shelf-";
/// Files that appear under their names when they are complete begin so until then.
const PARTIAL: &str = ".nearshelf-";
/// Beginnings of the names of a shelf's files, and their extensions.
const STEMS: [&str; 8] = [
    "shard-",
    "front-",
    "words-",
    "changes-",
    "items-",
    "encoder-",
    "model-",
    "tokenizer-",
];
const EXTENSIONS: [&str; 8] = ["nss", "nsf", "nsw", "nsc", "nsi", "nsn", "json", "onnx"];

/// The place of a shelf that is brought up to date.
pub(crate) enum Place {
    /// Where it is.
    Here {
        directory: PathBuf,
        /// Held until the end.
        _lock: File,
    },
    /// A directory that takes its name when it is complete.
    There(Target),
}

impl Place {
    /// The place of the shelf itself, or of another one that is made of it.
    ///
    /// # Errors
    /// No shelf, another update at work on it, something else where the other is to go.
    pub fn new(shelf: &Path, out: Option<&Path>) -> Result<Self> {
        if let Some(out) = out {
            check_target(out)?;
            return Ok(Place::There(Target::new(out, "", |_| false)?));
        }
        if !shelf.join(MANIFEST_NAME).is_file() {
            return Err(Error::NoShelf {
                path: shelf.to_owned(),
                found: format!("no {MANIFEST_NAME}"),
            });
        }
        let path = shelf.join(LOCK);
        let lock = File::options().create(true).append(true).open(&path);
        let lock = lock.map_err(|e| Error::io(&path, e))?;
        match lock.try_lock() {
            Ok(()) => Ok(Place::Here {
                directory: shelf.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(Error::Locked {
                path: shelf.to_owned(),
            }),
            Err(TryLockError::Error(e)) => Err(Error::io(&path, e)),
        }
    }

    /// A directory for what is no part of the shelf.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn scratch(&self) -> Result<tempfile::TempDir> {
        let parent = match self {
            Place::Here { directory, .. } => directory.clone(),
            Place::There(target) => target.file(""),
        };
        let scratch = tempfile::Builder::new().prefix(PARTIAL).tempdir_in(&parent);
        scratch.map_err(|e| Error::io(&parent, e))
    }

    /// Gives the shelf its next manifest; `keep` manifests stay with their files, the new one among them.
    ///
    /// # Errors
    /// Those of the disk. The shelf is then as it was.
    pub fn publish(self, manifest: &Manifest, before: &Opened, keep: usize) -> Result<()> {
        match self {
            Place::There(target) => {
                for file in manifest.all_files() {
                    let to = target.file(&file.name);
                    if !to.exists() {
                        copy(&before.directory.join(&file.name), &to)?;
                    }
                }
                target.write_named(MANIFEST_NAME, &manifest.to_bytes())?;
                target.publish()
            }
            Place::Here { directory, _lock } => {
                if *manifest != before.manifest {
                    keep_manifest(&directory, &before.manifest)?;
                    write_whole(&directory.join(MANIFEST_NAME), &manifest.to_bytes())?;
                }
                collect(&directory, manifest, keep)
            }
        }
    }
}

impl Store for Place {
    fn write(&self, stem: &str, extension: &str, bytes: &[u8]) -> Result<FileRef> {
        match self {
            Place::Here { .. } => {
                // Files stay as they are: a new one has another name, as it has another content.
                let file = FileRef::of(stem, extension, bytes);
                write_whole(&self.path(&file.name), bytes)?;
                Ok(file)
            }
            Place::There(target) => target.write(stem, extension, bytes),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        match self {
            Place::Here { directory, .. } => directory.join(name),
            Place::There(target) => target.file(name),
        }
    }
}

/// A second name of a file, or a copy where the disk has none.
fn copy(from: &Path, to: &Path) -> Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == ErrorKind::NotFound => Err(Error::io(from, e)),
        Err(_) => fs::copy(from, to).map(drop).map_err(|e| Error::io(to, e)),
    }
}

/// A file that is there whole or as it was.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    nearshelf_files::write_bytes(path, bytes).map_err(|e| Error::io(path, e))
}

/// Names in a directory.
fn names(directory: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(directory).map_err(|e| Error::io(directory, e))?;
    let names = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    Ok(names.collect())
}

/// The number of a manifest that was.
fn number(name: &str) -> Option<u64> {
    let number = name.strip_prefix(BEFORE)?.strip_suffix(".nsm")?;
    number.parse().ok()
}

/// Keeps a manifest under the next number.
fn keep_manifest(directory: &Path, manifest: &Manifest) -> Result<()> {
    let numbers = names(directory)?
        .iter()
        .filter_map(|name| number(name))
        .max();
    let path = directory.join(format!(
        "{BEFORE}{:06}.nsm",
        numbers.map_or(1, |last| last + 1)
    ));
    write_whole(&path, &manifest.to_bytes())
}

/// Removes manifests but the last `keep`, and the files that none of these names. What cannot be removed stays.
fn collect(directory: &Path, manifest: &Manifest, keep: usize) -> Result<()> {
    let names = names(directory)?;
    let mut before: Vec<(u64, &String)> = names
        .iter()
        .filter_map(|name| Some((number(name)?, name)))
        .collect();
    before.sort_unstable();
    let kept = before.split_off(before.len() - before.len().min(keep.saturating_sub(1)));
    let mut named: HashSet<String> = manifest.all_files().map(|file| file.name.clone()).collect();
    for (_, name) in kept {
        let path = directory.join(name);
        let manifest = fs::read(&path)
            .ok()
            .and_then(|bytes| Manifest::from_bytes(name, &bytes).ok());
        named.extend(
            manifest
                .iter()
                .flat_map(Manifest::all_files)
                .map(|file| file.name.clone()),
        );
    }
    for (_, name) in before {
        let _ = fs::remove_file(directory.join(name));
    }
    for name in names.iter().filter(|name| !named.contains(*name)) {
        let is_ours = STEMS.iter().any(|stem| name.starts_with(stem))
            && EXTENSIONS.iter().any(|extension| name.ends_with(extension));
        // Nobody else writes here while the lock is held.
        if is_ours || name.starts_with(PARTIAL) {
            let path = directory.join(name);
            let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
        }
    }
    Ok(())
}
