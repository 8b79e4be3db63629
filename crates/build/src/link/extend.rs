//! Items are added to a graph that does not change: each is linked with what is near in the whole, and those of the older items
//! that are to lead to it are noted with it.

use nearshelf_catalog::{Bytes, Catalog};
use nearshelf_container::Absent;
use nearshelf_index::codes::Codes;
use nearshelf_index::{All, CodedVectors, Links, Numbering, Query, Scratch, Slices};

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

    fn query(&self, number: u32) -> Option<Query> {
        let (shard, item) = self.numbering.place(number)?;
        match shard.checked_sub(self.first) {
            Some(new) => self.new.query(self.new.number(new, item)),
            None => {
                let shard = self.old.shard(shard)?;
                let codes = shard.codes(item as usize).ok()??;
                Some(Query::of_codes(codes, shard.precision(), shard.dims()))
            }
        }
    }
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
    let lists = Lists::make(new, linking, |item, work: &mut (Scratch, Pruning)| {
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
    let is_old = |to: &u32| {
        let place = whole.numbering.place(*to);
        place.is_some_and(|(shard, _)| shard < whole.first)
    };
    let pack = |shard: usize, coded: &CodedVectors, keep: &dyn Fn(&u32) -> bool| {
        let items = (0..coded.len() as u32).map(|item| lists.of(new.number(shard, item)));
        let kept: Vec<Vec<u32>> = items
            .map(|list| list.iter().copied().filter(keep).collect())
            .collect();
        Links::new(kept.iter().map(Vec::as_slice)).map_err(|source| Error::Shard { shard, source })
    };
    let each = |keep: &dyn Fn(&u32) -> bool| {
        let shards = new.shards().iter().enumerate();
        shards
            .map(|(shard, coded)| pack(shard, coded, keep))
            .collect::<Result<Vec<Links>>>()
    };
    Ok(Extended {
        links: each(&|_| true)?,
        back: each(&is_old)?,
    })
}
