//! Arbitrary bytes as a manifest: parsed or refused without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nearshelf_catalog::{Catalog, Manifest, SearchOptions};
use nearshelf_container::seal;

fuzz_target!(|data: &[u8]| {
    let _ = Manifest::from_bytes("fuzz", data);
    let mut forged = data.to_vec();
    seal(&mut forged);
    if let Ok(manifest) = Manifest::from_bytes("fuzz", &forged) {
        let target = vec![0.5; manifest.dims as usize].into();
        let catalog = Catalog::<Vec<u8>>::new(manifest);
        let _ = catalog.search(&target, &SearchOptions::default());
        let _ = catalog.missing(&target, &SearchOptions::default());
    }
});
