//! The files of the demo's model, whose names hold their digests.

use std::fs;
use std::path::{Path, PathBuf};

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The file of `assets/demo` whose name starts like this.
pub fn file(start: &str) -> Vec<u8> {
    let entries = fs::read_dir(root().join("assets/demo")).unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().path());
    let named = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with(start)
    };
    fs::read(paths.find(named).unwrap()).unwrap()
}
