//! Runs become one graph: every item is looked for in the nearest other runs.

use nearshelf_index::{All, Numbering, Query, Scratch, Slice, Slices, dot_f32};

use super::hnsw::Run;
use super::linking::Linking;
use super::lists::Lists;
use super::prune::{Pruning, prune, with_reversed};
use super::vectors::{Coded, Vectors};
use crate::error::Result;

/// Other runs that an item is looked for in.
const NEAREST_RUNS: usize = 3;
/// Candidates kept there.
const EF: usize = 16;
/// Items of a run that walks start from.
const ENTRIES: usize = 32;

/// Links over all runs: those of an item's own, and what is found in others, pruned.
pub fn join(vectors: &Vectors, runs: &[Run], linking: &Linking<'_>) -> Result<Lists> {
    let numberings: Vec<Numbering> = runs
        .iter()
        .map(|run| Numbering::new([run.items.len() as u32]))
        .collect();
    let slices: Vec<Slices<'_>> = runs
        .iter()
        .zip(&numberings)
        .map(|(run, numbering)| {
            let mut slices = Slices::new(numbering, vectors.dims());
            slices.add(0, slice(vectors, run));
            slices
        })
        .collect();
    let middles: Vec<Vec<f32>> = runs.iter().map(|run| middle(vectors, run)).collect();
    linking.progress.stage("joining", vectors.len() as u64);
    let joined = Lists::make(vectors, linking, |item, work: &mut (Scratch, Pruning)| {
        let Some(query) = vectors.query(item) else {
            return vec![];
        };
        let own = own_run(vectors, runs, item);
        let mut candidates = Vec::new();
        if let Some(own) = own {
            let run = &runs[own];
            let first = vectors.number(run.shard, run.items.start);
            let links = run.links.rows();
            candidates.extend(links.numbers((item - first) as usize).map(|n| first + n));
        }
        for other in nearest(&middles, &query, own) {
            let run = &runs[other];
            let found = slices[other].walk(&query, EF, &All, &mut work.0);
            let first = vectors.number(run.shard, run.items.start);
            candidates.extend(found.best.iter().map(|c| first + c.item));
        }
        prune(vectors, item, candidates.into_iter(), &mut work.1)
    })?;
    linking.progress.stage("linking back", vectors.len() as u64);
    with_reversed(vectors, &joined, linking)
}

/// A run as a graph of its own.
fn slice<'a>(vectors: &'a Vectors, run: &'a Run) -> Slice<'a> {
    let coded = &vectors.shards()[run.shard];
    let row = nearshelf_index::codes::row_bytes(coded.dims());
    let (start, end) = (run.items.start as usize, run.items.end as usize);
    Slice {
        dims: coded.dims(),
        codes: &coded.coarse()[start * row..end * row],
        links: run.links.rows(),
        items: run.items.len(),
        entries: ENTRIES.min(run.items.len()),
    }
}

/// The run of an item.
fn own_run(vectors: &Vectors, runs: &[Run], item: u32) -> Option<usize> {
    let (shard, item) = vectors.numbering().place(item)?;
    let at = runs.partition_point(|run| (run.shard, run.items.end) <= (shard, item));
    (at < runs.len()).then_some(at)
}

/// The mean of a run's vectors, of length 1.
fn middle(vectors: &Vectors, run: &Run) -> Vec<f32> {
    let mut sums: Vec<i64> = Vec::new();
    for item in run.items.clone() {
        let Some(query) = vectors.query(vectors.number(run.shard, item)) else {
            continue;
        };
        sums.resize(query.coarse().len(), 0);
        for (sum, &x) in sums.iter_mut().zip(query.coarse()) {
            *sum += i64::from(x);
        }
    }
    let mean: Vec<f32> = sums.iter().map(|&sum| sum as f32).collect();
    let norm = dot_f32(&mean, &mean).sqrt().max(f32::MIN_POSITIVE);
    mean.iter().map(|x| x / norm).collect()
}

/// The nearest runs but the item's own.
fn nearest(middles: &[Vec<f32>], query: &Query, own: Option<usize>) -> Vec<usize> {
    let vector: Vec<f32> = query.coarse().iter().map(|&x| f32::from(x)).collect();
    let mut scored: Vec<(f32, usize)> = middles
        .iter()
        .enumerate()
        .filter(|(run, _)| Some(*run) != own)
        .map(|(run, middle)| (dot_f32(middle, &vector), run))
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    scored.truncate(NEAREST_RUNS);
    scored.into_iter().map(|(_, run)| run).collect()
}
