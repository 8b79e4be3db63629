//! Arbitrary bytes as a shard, whole and by its head alone: opened, walked, read and verified without a panic.
#![no_main]

mod sealed;

use libfuzzer_sys::fuzz_target;
use nearshelf_catalog::{Columns, FieldKind};
use nearshelf_container::{FileKind, Ranges, Storage};
use nearshelf_index::{Accept, All, Allowed, Pool, Query, Scratch, Shard};

fuzz_target!(|data: &[u8]| sealed::as_is_and_sealed(data, use_all));

fn use_all(data: &[u8]) {
    if let Ok(ranges) = Ranges::new(FileKind::Shard, data.len(), data) {
        if let Ok(shard) = Shard::open(ranges) {
            search(&shard, &All);
        }
    }
    let Ok(shard) = Shard::open(data) else { return };
    search(&shard, &All);
    search(&shard, &Allowed::where_(shard.len(), |item| item % 3 == 0));
    let kinds = [FieldKind::Text, FieldKind::Number, FieldKind::Bool, FieldKind::Tags];
    if let Ok(columns) = Columns::open("fuzz", &shard, &kinds) {
        let _ = columns.verify("fuzz", &shard);
    }
    let _ = shard.verify();
}

fn search<S: Storage, A: Accept>(shard: &Shard<S>, accept: &A) {
    let Some(query) = Query::new(&vec![0.25; shard.dims()]) else { return };
    let mut pool = Pool::new(8);
    let mut scratch = Scratch::default();
    let _ = shard.walk(0, &query, 8, accept, &mut pool, &mut scratch);
    let _ = shard.scan(0, &query, accept, &mut pool, &mut scratch);
    for candidate in pool.candidates() {
        let _ = shard.score(&query, candidate.item as usize);
        let _ = shard.vector(candidate.item as usize);
    }
}
