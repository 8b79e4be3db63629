//! Arbitrary text as a filter, an order, boosts and facets: read and bound to fields, or refused, without a panic.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use nearshelf_catalog::{Catalog, Filter, Manifest, SearchOptions, Target};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let catalog = golden();
    let mut options = SearchOptions {
        filter: text.parse::<Filter>().ok(),
        sort: text.split(',').filter_map(|part| part.parse().ok()).collect(),
        boosts: text.split(',').filter_map(|part| part.parse().ok()).collect(),
        facets: text.split(',').filter_map(|part| part.parse().ok()).collect(),
        ..SearchOptions::default()
    };
    let _ = catalog.search(&Target::default(), &options);
    // What is no field is an error for all: what is left is looked at alone.
    options.sort.clear();
    options.boosts.clear();
    let _ = catalog.search(&Target::default(), &options);
    options.facets.clear();
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
