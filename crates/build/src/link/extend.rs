//! Items are added to a graph that does not change: each is linked with what is near in the whole, and those of the older items
//! that are to lead to it are noted with it.

use std::collections::{BTreeMap, BTreeSet};

use nearshelf_catalog::{Bytes, Catalog};
use nearshelf_container::Absent;
use nearshelf_index::codes::Codes;
use nearshelf_index::{All, Links, Numbering, Precision, Scratch, Slices};

use super::bridge::{self, ANSWERS, Asked, each, score, with_asked};
use super::frozen::Frozen;
use super::linking::Linking;
use super::lists::Lists;
use super::prune::{Pruning, prune};
use super::vectors::{Coded, Vectors};
use crate::error::{Error, Result};

/// Candidates kept while an item is looked for among the older ones.
const EF: usize = 64;

/// Links of new items, and back to them.
pub struct Extended {
    /// The links of each new shard.
    pub links: Vec<Links>,
    /// For each item of each new shard those of older shards that are to lead to it.
    pub back: Vec<Links>,
}

/// The old shards and, behind them, the new ones.
struct Whole<'a> {
    old: &'a Catalog<Bytes>,
    new: &'a Vectors,
    numbering: Numbering,
    /// The number of old shards.
    first: usize,
}

impl Coded for Whole<'_> {
    fn codes(&self, number: u32) -> Option<Codes<'_>> {
        let (shard, item) = self.numbering.place(number)?;
        match shard.checked_sub(self.first) {
            Some(new) => self.new.codes(self.new.number(new, item)),
            None => self.old.shard(shard)?.codes(item as usize).ok()?,
        }
    }

    fn shape(&self) -> Option<(Precision, usize)> {
        self.new.shape()
    }
}

/// For each new item that answers a query of its own words the old ones that do: the best, and those before and behind it.
fn answers(
    new: &Vectors,
    slices: &Slices<'_>,
    asked: &[Asked],
    linking: &Linking<'_>,
) -> Result<BTreeMap<u32, BTreeSet<u32>>> {
    let found = each(asked, linking, |asked, scratch| {
        let own = score(&asked.query, new.codes(asked.source)?);
        let best = slices.walk(&asked.query, bridge::EF, &All, scratch).best;
        let place = best.partition_point(|candidate| candidate.score >= own);
        let near = [Some(0), place.checked_sub(1), Some(place)];
        let near = near.into_iter().flatten().filter_map(|at| best.get(at));
        let near: Vec<u32> = near.map(|candidate| slices.number(candidate)).collect();
        (place < ANSWERS).then_some((asked.source, near))
    })?;
    let mut answers: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for (item, near) in found.into_iter().flatten() {
        answers.entry(item).or_default().extend(near);
    }
    Ok(answers)
}

/// Links new items, which `graph` links among themselves, with those of a shelf. The vectors of `new` are in the shards that
/// come behind the shelf's.
///
/// # Errors
/// A thread that cannot be started, links that do not fit a shard.
pub fn extend(
    old: &Catalog<Bytes>,
    new: &Vectors,
    graph: &Frozen,
    asked: &[Asked],
    linking: &Linking<'_>,
) -> Result<Extended> {
    let shards = old.manifest().shards.iter().map(|shard| shard.items);
    let lengths = new.shards().iter().map(|shard| shard.len() as u32);
    let whole = Whole {
        old,
        new,
        numbering: Numbering::new(shards.chain(lengths)),
        first: old.manifest().shards.len(),
    };
    let slices = old.slices();
    let slices: Slices<'_> = slices.map_err(|Absent(_)| Error::Unreadable)?;
    let number = |number: u32| {
        let place = new.numbering().place(number);
        place.map_or(number, |(shard, item)| {
            whole.numbering.number(whole.first + shard, item)
        })
    };
    linking
        .progress
        .stage("linking with the shelf", new.len() as u64);
    let mut lists = Lists::make(new, linking, |item, work: &mut (Scratch, Pruning)| {
        let (Some(query), Some((shard, place))) = (new.query(item), new.numbering().place(item))
        else {
            return vec![];
        };
        let found = slices.walk(&query, EF, &All, &mut work.0);
        // The old shards have the same numbers in both.
        let found = found.best.iter().map(|c| slices.number(c));
        let own = graph.links()[shard]
            .rows()
            .numbers(place as usize)
            .map(number);
        prune(&whole, number(item), own.chain(found), &mut work.1)
    })?;
    let answers = answers(new, &slices, asked, linking)?;
    lists.change(|item, links| {
        let wanted = answers.get(&item)?.iter().copied();
        Some(with_asked(links, wanted))
    });
    let links = Frozen::new(new, &lists)?.into_links();
    let is_old = |to: &u32| {
        let place = whole.numbering.place(*to);
        place.is_some_and(|(shard, _)| shard < whole.first)
    };
    lists.change(|_, links| Some(links.iter().copied().filter(is_old).collect()));
    let back = Frozen::new(new, &lists)?.into_links();
    Ok(Extended { links, back })
}
