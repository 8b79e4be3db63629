//! Arbitrary bytes as a shard, whole and by its head alone: opened, walked, read and verified without a panic.
#![no_main]

mod sealed;

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use nearshelf_catalog::{Columns, FieldKind};
use nearshelf_container::{FileKind, Ranges, Storage};
use nearshelf_index::{
    Accept, All, Allowed, AllowedByShard, Numbering, Query, Scratch, Shard, Slices,
};

fuzz_target!(|data: &[u8]| sealed::as_is_and_sealed(data, use_all));

fn use_all(data: &[u8]) {
    if let Ok(ranges) = Ranges::new(FileKind::Shard, data.len(), data) {
        if let Ok(shard) = Shard::open(ranges) {
            search(&shard, &All);
        }
    }
    let Ok(shard) = Shard::open(data) else { return };
    search(&shard, &All);
    let mut third = AllowedByShard::default();
    let allowed = Allowed::where_(shard.len(), |item| item % 3 == 0);
    third.set(0, Arc::new(allowed));
    search(&shard, &third);
    let kinds = [FieldKind::Text, FieldKind::Number, FieldKind::Bool, FieldKind::Tags];
    let columns = Columns::new(&kinds);
    if columns.check("fuzz", &shard).is_ok() {
        let _ = columns.verify("fuzz", &shard);
    }
    let _ = shard.verify();
}

fn search<S: Storage, A: Accept>(shard: &Shard<S>, accept: &A) {
    let Some(query) = Query::new(&vec![0.25; shard.dims()]) else { return };
    let numbering = Numbering::new([shard.len() as u32]);
    let mut slices = Slices::new(&numbering, shard.dims());
    let Ok(slice) = shard.slice() else { return };
    slices.add(0, slice);
    let mut scratch = Scratch::default();
    let walked = slices.walk(&query, 8, accept, &mut scratch);
    let scanned = slices.scan(&query, 8, accept, &mut scratch);
    for candidate in walked.best.iter().chain(&scanned.best) {
        let _ = shard.score(&query, candidate.item as usize);
        let _ = shard.vector(candidate.item as usize);
    }
}
