//! A way to every item.

use std::collections::BTreeMap;

use nearshelf_index::{All, MAX_LINKS, Scratch, Slices};

use super::lists::Lists;
use super::vectors::{Coded, Vectors};

/// Candidates kept while a neighbour is looked for that can be reached.
const EF: usize = 16;

/// Links every item that no walk can reach from one that walks can: from a neighbour, or else from an item before it.
pub fn connect(lists: &mut Lists, vectors: &Vectors, slices: &Slices<'_>) {
    let mut reached = vec![false; vectors.numbering().len()];
    let mut added: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (shard, slice) in slices.iter() {
        for item in slice.entries() {
            mark(lists, vectors.number(shard, item), &mut reached);
        }
    }
    let mut scratch = Scratch::default();
    for (shard, coded) in vectors.shards().iter().enumerate() {
        for item in 0..coded.len() as u32 {
            let number = vectors.number(shard, item);
            if reached[number as usize] {
                continue;
            }
            let found = vectors
                .query(number)
                .map(|query| slices.walk(&query, EF, &All, &mut scratch))
                .unwrap_or_default();
            let first = vectors.number(shard, 0);
            let last = first + coded.len() as u32;
            // Everything before it can be reached by now, and somewhere in its shard an entry.
            let found = found.best.iter().map(|c| slices.number(c));
            let from = found
                .chain((first..number).rev())
                .chain(number + 1..last)
                .find(|&from| {
                    let links = lists.of(from).len() + added.get(&from).map_or(0, Vec::len);
                    reached[from as usize] && links < MAX_LINKS
                });
            if let Some(from) = from {
                added.entry(from).or_default().push(number);
            }
            mark(lists, number, &mut reached);
        }
    }
    lists.change(|item, links| {
        let added = added.get(&item)?;
        Some(links.iter().chain(added).copied().collect())
    });
}

/// Marks an item and all that links lead to from it.
fn mark(lists: &Lists, from: u32, reached: &mut [bool]) {
    let mut next = vec![from];
    while let Some(number) = next.pop() {
        if !std::mem::replace(&mut reached[number as usize], true) {
            next.extend(lists.of(number));
        }
    }
}
