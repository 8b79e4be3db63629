//! Lists the files of the demo shelf, whose names are their contents' hashes, for `src/demo.rs`.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let directory = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"))
        .join("../../assets/demo");
    println!("cargo::rerun-if-changed={}", directory.display());
    let mut names: Vec<String> = fs::read_dir(&directory)
        .unwrap_or_else(|e| panic!("{}: {e}", directory.display()))
        .map(|entry| {
            entry
                .expect("a readable directory")
                .file_name()
                .into_string()
        })
        .map(|name| name.expect("names of a shelf are ASCII"))
        .collect();
    // For tools and for pages: no search here reads them.
    names.retain(|name| !name.ends_with(".nsi") && !name.ends_with(".nsf"));
    names.sort();
    let list: String = names
        .iter()
        .map(|name| {
            let path = directory.join(name);
            format!("    ({name:?}, &Aligned(*include_bytes!({path:?}))),\n")
        })
        .collect();
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo")).join("demo_files.rs");
    fs::write(out, format!("&[\n{list}]\n")).expect("cargo's own directory is writable");
}
