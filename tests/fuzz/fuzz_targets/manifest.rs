//! Arbitrary bytes as a manifest: parsed or refused without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nearshelf_catalog::{Catalog, Manifest, SearchOptions};
use nearshelf_index::format::checksum;

fuzz_target!(|data: &[u8]| {
    let _ = Manifest::from_bytes("fuzz", data);
    let mut forged = data.to_vec();
    if forged.len() < 32 {
        return;
    }
    let payload = forged.len() as u64 - 32;
    forged[16..24].copy_from_slice(&payload.to_le_bytes());
    let mut hashed = forged[..24].to_vec();
    hashed.extend_from_slice(&forged[32..]);
    let sum = checksum(&hashed);
    forged[24..32].copy_from_slice(&sum.to_le_bytes());
    if let Ok(manifest) = Manifest::from_bytes("fuzz", &forged) {
        let dims = manifest.dims as usize;
        let catalog = Catalog::<Vec<u8>>::new(manifest);
        let _ = catalog.search(&vec![0.5; dims], &SearchOptions::default());
    }
});
