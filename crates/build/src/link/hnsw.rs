//! Links within runs of neighbouring items, by instant-distance.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use instant_distance::{Builder, Point};
use nearshelf_index::kernel::{self, DotRows};
use nearshelf_index::{Links, MAX_LINKS};
use serde::{Deserialize, Serialize, Serializer};
use serde_big_array::BigArray;

use super::linking::Linking;
use super::vectors::{Coded, Vectors};
use crate::error::{Error, Result};
use crate::parallel;

/// Items of a run at most: their codes stay in the second-level cache.
const RUN: usize = 12_288;
/// Links of a node in instant-distance's lowest layer.
const THEIR_DEGREE: usize = 64;
const _: () = assert!(THEIR_DEGREE <= MAX_LINKS);

/// A run of a shard's items with links among them, by their places in the run.
pub struct Run {
    pub shard: usize,
    pub items: Range<u32>,
    pub links: Links,
}

/// Cuts every shard into runs and links each.
///
/// The same vectors and seed give the same graph only where one thread inserts them, so that a run has a pool of one
/// thread to itself; runs are linked beside one another instead.
pub fn link(vectors: &Vectors, linking: &Linking<'_>) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    for (shard, coded) in vectors.shards().iter().enumerate() {
        let (items, count) = (coded.len(), coded.len().div_ceil(RUN));
        let bound = |run: usize| (run * items / count.max(1)) as u32;
        runs.extend((0..count).map(|run| (shard, bound(run)..bound(run + 1))));
    }
    linking
        .progress
        .stage("linking neighbours", vectors.len() as u64);
    let done = AtomicU64::new(0);
    parallel::map(runs.len(), linking.threads, |number| {
        let (shard, items) = runs[number].clone();
        let links = run(vectors, shard, items.clone(), linking)?;
        let count = items.len() as u64;
        let before = done.fetch_add(count, Ordering::Relaxed);
        linking.progress.at(before + count);
        Ok(Run {
            shard,
            items,
            links,
        })
    })
}

/// Links the items of a run.
fn run(vectors: &Vectors, shard: usize, items: Range<u32>, linking: &Linking<'_>) -> Result<Links> {
    let coded = |item| {
        let number = vectors.number(shard, item);
        Some((vectors.codes(number)?, vectors.query(number)?))
    };
    let codes: Vec<_> = items.filter_map(coded).collect();
    let dot = kernel::dot_rows();
    let points: Vec<CodePoint<'_>> = codes
        .iter()
        .map(|(codes, query)| CodePoint {
            row: codes.coarse,
            query: query.coarse(),
            sum: query.coarse().iter().map(|&q| i32::from(q)).sum(),
            dot,
        })
        .collect();
    let thread = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let (hnsw, placed) = thread.install(|| {
        Builder::default()
            .ef_construction(linking.ef_construction)
            // Which of the neighbours are linked is chosen later, from more of them.
            .select_heuristic(None)
            .seed(linking.seed)
            .build_hnsw(points)
    });
    // The links are private; its serialized form is the way to them.
    let bytes = postcard::to_stdvec(&hnsw).expect("a Vec takes any bytes");
    drop(hnsw);
    let mirror: Mirror = postcard::from_bytes(&bytes).expect("what was just written");
    drop(bytes);

    // instant-distance shuffles: `placed[item]` is its node.
    let mut item_of = vec![0u32; placed.len()];
    for (item, node) in placed.iter().enumerate() {
        item_of[node.into_inner() as usize] = item as u32;
    }
    let lists: Vec<Vec<u32>> = placed
        .iter()
        .map(|node| {
            let links = &mirror.zero[node.into_inner() as usize].0;
            // `u32::MAX`, their "no link", is past the end.
            let items = links.iter().map_while(|&link| item_of.get(link as usize));
            items.copied().collect()
        })
        .collect();
    let links = Links::new(lists.iter().map(Vec::as_slice));
    links.map_err(|source| Error::Shard { shard, source })
}

/// A vector by its coarse codes, and as what others are compared with.
#[derive(Clone)]
struct CodePoint<'a> {
    row: &'a [u8],
    query: &'a [i8],
    /// Σ of the query's components, with which the codes' middle enters a product.
    sum: i32,
    dot: DotRows,
}

impl Point for CodePoint<'_> {
    /// −⟨a, b⟩ in steps of both.
    fn distance(&self, other: &Self) -> f32 {
        let mut dot = [0];
        (self.dot)(&[other.row], self.query, &mut dot);
        -((2 * dot[0] - 15 * self.sum) as f32)
    }
}

/// Serialized as nothing: the shard writes the vectors itself.
impl Serialize for CodePoint<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

/// `instant_distance::Hnsw` as it serializes (0.6.1); what follows the lowest layer is left unread.
#[derive(Deserialize)]
struct Mirror {
    _ef_search: u64,
    _points: Vec<()>,
    zero: Vec<ZeroNode>,
}

#[derive(Deserialize)]
struct ZeroNode(#[serde(with = "BigArray")] [u32; THEIR_DEGREE]);
