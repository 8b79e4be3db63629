//! Links to items that were added to a shelf: files do not change, so that what leads to a new item stands in its own shard,
//! and is turned round when shards are opened.

use crate::links::LinkRows;
use crate::numbering::Numbering;

/// For each number those of later shards that it is linked to besides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Added {
    starts: Vec<u32>,
    links: Vec<u32>,
}

impl Added {
    /// Turns the back links of shards round: each shard's number with the links of its items.
    pub fn new<'a>(
        numbering: &Numbering,
        shards: impl Iterator<Item = (usize, usize, LinkRows<'a>)> + Clone,
    ) -> Self {
        let mut starts = vec![0u32; numbering.len() + 1];
        let pairs = |each: &mut dyn FnMut(usize, u32)| {
            for (shard, items, back) in shards.clone() {
                for item in 0..items {
                    let to = numbering.number(shard, item as u32);
                    for from in back.numbers(item) {
                        each(from as usize, to);
                    }
                }
            }
        };
        pairs(&mut |from, _| {
            if let Some(count) = starts.get_mut(from + 1) {
                *count += 1;
            }
        });
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut next = starts.clone();
        let mut links = vec![0; starts.last().map_or(0, |&end| end as usize)];
        pairs(&mut |from, to| {
            // The last start is the end of all: no item has it.
            if from + 1 < next.len()
                && let Some(link) = links.get_mut(next[from] as usize)
            {
                *link = to;
                next[from] += 1;
            }
        });
        Added { starts, links }
    }

    /// Asks for the cache line that says where the links of a number are.
    #[inline(always)]
    pub(crate) fn prefetch(&self, number: u32) {
        if let Some(start) = self.starts.get(number as usize..) {
            crate::kernel::prefetch(bytemuck::cast_slice(&start[..start.len().min(1)]));
        }
    }

    /// Asks for the links of a number.
    #[inline(always)]
    pub(crate) fn prefetch_links(&self, number: u32) {
        crate::kernel::prefetch(bytemuck::cast_slice(self.of(number)));
    }

    /// The links of a number.
    #[inline(always)]
    pub fn of(&self, number: u32) -> &[u32] {
        let number = number as usize;
        match (self.starts.get(number), self.starts.get(number + 1)) {
            (Some(&start), Some(&end)) => &self.links[start as usize..end as usize],
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::links::Links;

    proptest! {
        #[test]
        fn every_link_is_turned_round(
            back in prop::collection::vec(prop::collection::btree_set(0u32..3000, 0..20), 0..100)
        ) {
            let numbering = Numbering::new([1500, back.len() as u32]);
            let lists: Vec<Vec<u32>> = back.iter().map(|set| set.iter().copied().collect()).collect();
            let links = Links::new(lists.iter().map(Vec::as_slice)).unwrap();
            let added = Added::new(&numbering, [(1, back.len(), links.rows())].into_iter());
            for from in 0..numbering.len() as u32 {
                let expected: Vec<u32> = (0u32..).zip(&back)
                    .filter(|(_, set)| set.contains(&from))
                    .map(|(item, _)| numbering.number(1, item))
                    .collect();
                prop_assert_eq!(added.of(from), &expected[..]);
            }
            prop_assert!(added.of(u32::MAX - 1).is_empty());
        }
    }
}
