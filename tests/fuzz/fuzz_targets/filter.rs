//! Arbitrary text as a filter: read and bound to fields, or refused, without a panic.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use nearshelf_catalog::{Catalog, Filter, Manifest, SearchOptions};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(filter) = text.parse::<Filter>() else { return };
    let catalog = golden();
    let options = SearchOptions { filter: Some(filter), ..SearchOptions::default() };
    let vector = vec![0.5; catalog.manifest().dims as usize];
    let _ = catalog.search(&vector.into(), &options);
});

/// The golden shelf, which has fields of every type.
fn golden() -> &'static Catalog<&'static [u8]> {
    static GOLDEN: OnceLock<Catalog<&'static [u8]>> = OnceLock::new();
    GOLDEN.get_or_init(|| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../golden/shelf-v1");
        let read = |name: &str| std::fs::read(format!("{folder}/{name}")).expect("the golden shelf");
        let manifest = Manifest::from_bytes("shelf.nsm", &read("shelf.nsm")).expect("the golden shelf");
        let shard: &'static [u8] = read(&manifest.shards[0].file.name).leak();
        let mut catalog = Catalog::new(manifest);
        catalog.attach(0, shard).expect("the golden shelf");
        catalog
    })
}
