//! The demo shelf, a part of the program.

use anyhow::{Context, Result};
use nearshelf::{Bytes, CatalogError, Shelf};

/// Names and contents of the files in `assets/demo`.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/demo_files.rs"));

/// Opens the demo shelf in place.
pub fn open() -> Result<Shelf> {
    let find = |wanted: &str| {
        FILES
            .iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, bytes)| Bytes::Static(bytes))
    };
    let manifest = find("shelf.nsm").context("the demo shelf was left out of this build")?;
    let shelf = Shelf::from_files(manifest.as_ref(), |file| {
        find(&file.name).ok_or_else(|| {
            let source = std::io::ErrorKind::NotFound.into();
            CatalogError::Io {
                path: file.name.clone().into(),
                source,
            }
            .into()
        })
    })?;
    Ok(shelf)
}
