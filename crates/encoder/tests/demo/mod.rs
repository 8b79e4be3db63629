//! The demo's encoder: its network file, and the portable model that this was made of.

use std::fs;
use std::path::{Path, PathBuf};

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The network file in `assets/demo`, whose name holds its digest.
pub fn network() -> Vec<u8> {
    let entries = fs::read_dir(root().join("assets/demo")).unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().path());
    let network = |path: &PathBuf| path.extension().is_some_and(|e| e == "nsn");
    fs::read(paths.find(network).unwrap()).unwrap()
}

/// A file of `assets/model`.
pub fn model(name: &str) -> Vec<u8> {
    fs::read(root().join("assets/model").join(name)).unwrap()
}
