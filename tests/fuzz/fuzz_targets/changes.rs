//! Arbitrary bytes as a file of changes, applied to a shelf whose items they may name.
#![no_main]

mod sealed;

use libfuzzer_sys::fuzz_target;
use nearshelf_catalog::{Catalog, Changes, FileRef, Manifest};

fuzz_target!(|data: &[u8]| sealed::as_is_and_sealed(data, |data| {
    let Ok(changes) = Changes::from_bytes(data, 4) else { return };
    // What is written is read, and written again the same: by bytes, as no number may be one.
    let written = changes.to_bytes();
    let again = Changes::from_bytes(&written, 4).expect("what was written");
    assert!(again.to_bytes() == written);
    let manifest = include_bytes!("../../golden/shelf-v1/shelf.nsm");
    let manifest = Manifest::from_bytes("golden", manifest).expect("the golden manifest");
    let mut catalog: Catalog<Vec<u8>> = Catalog::new(manifest);
    let before = catalog.living_items(0);
    if catalog.apply(&FileRef::of("changes", "nsc", data), data).is_ok() {
        assert!(catalog.living_items(0) <= before);
    }
}));
