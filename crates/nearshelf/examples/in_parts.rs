//! A shard over the network by ranges: only the blocks that a query touches are fetched, and each is verified.
//! `cargo run --release -p nearshelf --example in_parts`.

use std::error::Error;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use nearshelf::{Bytes, MANIFEST_NAME, SearchOptions, Shelf};

/// Stands for an HTTP server that answers range requests.
fn fetch(name: &str, range: Range<usize>) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(format!("assets/demo/{name}"))?;
    file.seek(SeekFrom::Start(range.start as u64))?;
    let mut bytes = vec![0; range.len()];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn main() -> Result<(), Box<dyn Error>> {
    let manifest = std::fs::read(format!("assets/demo/{MANIFEST_NAME}"))?;
    let mut shelf = Shelf::from_manifest(&manifest)?;
    for file in shelf
        .manifest()
        .encoder
        .files()
        .into_iter()
        .cloned()
        .collect::<Vec<_>>()
    {
        let bytes = fetch(&file.name, 0..usize::try_from(file.bytes)?)?;
        shelf.attach(&file.name, Bytes::from(bytes), false)?;
    }
    let shard = shelf.manifest().shards[0].file.clone();
    let head = shard.head.as_ref().ok_or("a shard without a head")?;
    let mut fetched = usize::try_from(head.bytes)?;
    shelf.attach_head(&shard.name, &fetch(&shard.name, 0..fetched)?)?;

    let query = shelf.encoder()?.encode("something warm for a rainy hike")?;
    let options = SearchOptions::default();
    loop {
        let found = shelf.search_vector(&query.vector, &options)?;
        let of_hits = found.hits.iter().flat_map(|hit| hit.absent());
        let absent: Vec<Range<usize>> = match found.absent.is_empty() {
            true => of_hits.collect(),
            false => found
                .absent
                .iter()
                .map(|(_, range)| range.clone())
                .collect(),
        };
        if absent.is_empty() {
            for hit in found.hits {
                println!("{:.3}  {:?}", hit.score, hit.field("title"));
            }
            break;
        }
        for wanted in absent {
            // Asked anew for each: two hits may lie in one block, which the first of them brought.
            for range in shelf.fetches(0, wanted) {
                let bytes = fetch(&shard.name, range.clone())?;
                fetched += bytes.len();
                shelf.add_range(0, range, bytes)?;
            }
        }
    }
    println!(
        "{fetched} of the shard's {} bytes were fetched",
        shard.bytes
    );
    Ok(())
}
