//! The second look: every item is looked for in the whole graph.

use nearshelf_index::{All, Scratch};

use super::frozen::Frozen;
use super::linking::Linking;
use super::lists::Lists;
use super::prune::{Pruning, prune, with_reversed};
use super::vectors::{Coded, Vectors};
use crate::error::Result;

/// Candidates kept while an item is looked for.
const EF: usize = 48;

/// Links of each item pruned from what it had and what a walk to it goes through.
pub fn refine(vectors: &Vectors, graph: &Frozen, linking: &Linking<'_>) -> Result<Lists> {
    let slices = graph.slices(vectors);
    linking.progress.stage("refining", vectors.len() as u64);
    let refined = Lists::make(vectors, linking, |item, work: &mut (Scratch, Pruning)| {
        let (Some(query), Some((shard, place))) =
            (vectors.query(item), vectors.numbering().place(item))
        else {
            return vec![];
        };
        let found = slices.walk(&query, EF, &All, &mut work.0);
        let found = found.best.iter().map(|c| slices.number(c));
        let had = graph.links()[shard].rows().numbers(place as usize);
        prune(vectors, item, had.chain(found), &mut work.1)
    })?;
    linking.progress.stage("linking back", vectors.len() as u64);
    with_reversed(vectors, &refined, linking)
}
