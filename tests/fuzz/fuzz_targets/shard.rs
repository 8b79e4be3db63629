//! Arbitrary bytes as a shard: opened, walked, read and verified without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nearshelf_catalog::{Columns, FieldKind};
use nearshelf_index::format::checksum;
use nearshelf_index::{Pool, Query, Scratch, Shard};

fuzz_target!(|data: &[u8]| {
    use_all(data);
    // Once more with a header checksum that fits, or nothing behind it would ever be reached.
    let mut forged = data.to_vec();
    if forged.len() < 64 {
        return;
    }
    let length = forged.len() as u64;
    forged[16..24].copy_from_slice(&length.to_le_bytes());
    let count = &forged[32..36];
    let sections = u32::from_le_bytes([count[0], count[1], count[2], count[3]]) as usize;
    let Some(table) = sections.checked_mul(32).and_then(|t| forged.get(64..64 + t)) else { return };
    let mut hashed = forged[..40].to_vec();
    hashed.extend_from_slice(&forged[48..64]);
    hashed.extend_from_slice(table);
    let sum = checksum(&hashed);
    forged[40..48].copy_from_slice(&sum.to_le_bytes());
    use_all(&forged);
});

fn use_all(data: &[u8]) {
    let Ok(shard) = Shard::open(data) else { return };
    if let Some(query) = Query::new(&vec![0.25; shard.dims()]) {
        let mut pool = Pool::new(8);
        let mut scratch = Scratch::default();
        shard.walk(0, &query, 8, &mut pool, &mut scratch);
        shard.scan(0, &query, &mut pool, &mut scratch);
        for candidate in pool.candidates() {
            shard.score(&query, candidate.item as usize);
        }
    }
    let kinds = [FieldKind::Text, FieldKind::Number, FieldKind::Bool, FieldKind::Tags];
    if let Ok(columns) = Columns::open("fuzz", &shard, &kinds) {
        let _ = columns.verify("fuzz", &shard);
    }
    let _ = shard.verify();
}
