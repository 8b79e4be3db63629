//! The demo shelf, a part of the program.

use anyhow::Result;
use nearshelf::{Bytes, CatalogError, MANIFEST_NAME, Shelf};

/// Bytes at an address that numbers can be read from in place.
#[repr(C, align(64))]
struct Aligned<T: ?Sized>(T);

/// Names and contents of the files in `assets/demo`.
static FILES: &[(&str, &Aligned<[u8]>)] = include!(concat!(env!("OUT_DIR"), "/demo_files.rs"));

fn find(wanted: &str) -> Option<Bytes> {
    let file = FILES.iter().find(|(name, _)| *name == wanted);
    file.map(|(_, bytes)| Bytes::Static(&bytes.0))
}

/// Opens the demo shelf in place.
pub fn open() -> Result<Shelf> {
    let missing = |name: &str| CatalogError::Io {
        path: name.into(),
        source: std::io::ErrorKind::NotFound.into(),
    };
    let manifest = find(MANIFEST_NAME).ok_or_else(|| missing(MANIFEST_NAME))?;
    let shelf = Shelf::from_files(manifest.as_ref(), |file| {
        find(&file.name).ok_or_else(|| missing(&file.name).into())
    })?;
    Ok(shelf)
}

/// The name and the bytes of the demo's encoder: a network file.
pub fn encoder() -> (&'static str, Bytes) {
    let network = FILES.iter().find(|(name, _)| name.ends_with(".nsn"));
    network.map_or(
        ("the demo's encoder", Bytes::Static(&[])),
        |(name, bytes)| (name, Bytes::Static(&bytes.0)),
    )
}
