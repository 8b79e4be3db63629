//! Arbitrary bytes as a manifest: parsed or refused without a panic.
#![no_main]

mod sealed;

use libfuzzer_sys::fuzz_target;
use nearshelf_catalog::{Catalog, Manifest, SearchOptions};

fuzz_target!(|data: &[u8]| sealed::as_is_and_sealed(data, use_all));

fn use_all(data: &[u8]) {
    if let Ok(manifest) = Manifest::from_bytes("fuzz", data) {
        let target = vec![0.5; manifest.dims as usize].into();
        let catalog = Catalog::<Vec<u8>>::new(manifest);
        let _ = catalog.search(&target, &SearchOptions::default());
        let _ = catalog.missing(&target, &SearchOptions::default());
    }
}
