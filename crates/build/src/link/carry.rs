//! The graph of a shelf is carried over to its living items: links to items that are gone give way to those that these had.

use nearshelf_catalog::{Bytes, Catalog};
use nearshelf_index::{Links, MAX_LINKS};

use super::bridge::{Asked, bridge};
use super::frozen::Frozen;
use super::linking::Linking;
use super::lists::Lists;
use super::prune::{Pruning, prune};
use super::reach;
use super::vectors::Vectors;
use crate::error::{Error, Result};

/// The number of an item that is gone.
pub const GONE: u32 = u32::MAX;

/// The links of living items. `old` gives the number that each of `vectors` has in the shelf, `new` the other way, [`GONE`]
/// for those that are gone. Answers to the same of `asked` are linked, as those to queries of what was added were not yet.
///
/// # Errors
/// A thread that cannot be started, links that do not fit a shard.
pub fn carry(
    shelf: &Catalog<Bytes>,
    vectors: &Vectors,
    old: &[u32],
    new: &[u32],
    asked: &[Asked],
    linking: &Linking<'_>,
) -> Result<Vec<Links>> {
    let slices = shelf.slices().map_err(|_| Error::Unreadable)?;
    let now = |number: u32| new.get(number as usize).copied().unwrap_or(GONE);
    linking
        .progress
        .stage("carrying links over", vectors.len() as u64);
    let lists = Lists::make(vectors, linking, |item, work: &mut Pruning| {
        let from = old.get(item as usize).copied().unwrap_or(GONE);
        let before: Vec<u32> = slices.links(from).collect();
        let mut kept: Vec<u32> = Vec::with_capacity(MAX_LINKS);
        let mut others: Vec<u32> = Vec::new();
        for link in before {
            match now(link) {
                GONE => others.extend(slices.links(link).map(now).filter(|&n| n != GONE)),
                link => kept.push(link),
            }
        }
        if !others.is_empty() {
            let candidates = kept.iter().copied().chain(others);
            for link in prune(vectors, item, candidates, work) {
                if !kept.contains(&link) {
                    kept.push(link);
                }
            }
        }
        kept.truncate(MAX_LINKS);
        kept
    })?;
    let frozen = Frozen::new(vectors, &lists)?;
    let mut lists = bridge(lists, vectors, &frozen.slices(vectors), asked, linking)?;
    reach::connect(&mut lists, vectors, &frozen.slices(vectors));
    Ok(Frozen::new(vectors, &lists)?.into_links())
}
