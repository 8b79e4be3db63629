//! The links of all items while a graph is made.

use std::sync::atomic::{AtomicU64, Ordering};

use nearshelf_index::Numbering;

use super::linking::Linking;
use super::vectors::{Coded, Vectors};
use crate::error::Result;
use crate::parallel;

/// Numbers of a block, all of one shard.
const BLOCK: u32 = Numbering::BLOCK;

/// Lists of numbers, one for each number.
#[derive(Debug, Default)]
pub struct Lists {
    blocks: Vec<Block>,
}

#[derive(Debug, Default)]
struct Block {
    ends: Vec<u32>,
    numbers: Vec<u32>,
}

impl Block {
    fn push(&mut self, list: &[u32]) {
        self.numbers.extend_from_slice(list);
        self.ends.push(self.numbers.len() as u32);
    }

    fn of(&self, at: usize) -> &[u32] {
        let Some(&end) = self.ends.get(at) else {
            return &[];
        };
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.numbers[start as usize..end as usize]
    }
}

impl Lists {
    /// Makes the list of each item, blocks of items side by side. `work` is made once for each block.
    pub fn make<W: Default>(
        vectors: &Vectors,
        linking: &Linking<'_>,
        list: impl Fn(u32, &mut W) -> Vec<u32> + Sync,
    ) -> Result<Self> {
        let blocks = vectors.numbering().len() / BLOCK as usize;
        let done = AtomicU64::new(0);
        let blocks = parallel::map(blocks, linking.threads, |number| {
            let mut block = Block::default();
            let mut work = W::default();
            let start = number as u32 * BLOCK;
            let items = (start..start + BLOCK).take_while(|&n| vectors.codes(n).is_some());
            for item in items {
                block.push(&list(item, &mut work));
            }
            let items = block.ends.len() as u64;
            linking
                .progress
                .at(done.fetch_add(items, Ordering::Relaxed) + items);
            Ok::<_, crate::Error>(block)
        })?;
        Ok(Lists { blocks })
    }

    /// The list of a number.
    pub fn of(&self, number: u32) -> &[u32] {
        let block = self.blocks.get((number / BLOCK) as usize);
        block.map_or(&[], |block| block.of((number % BLOCK) as usize))
    }

    /// Changes lists: `change` gives the new one where there is one.
    pub fn change(&mut self, change: impl Fn(u32, &[u32]) -> Option<Vec<u32>>) {
        for (at, block) in self.blocks.iter_mut().enumerate() {
            let mut changed = Block::default();
            for item in 0..block.ends.len() {
                let number = at as u32 * BLOCK + item as u32;
                let old = block.of(item);
                match change(number, old) {
                    Some(new) => changed.push(&new),
                    None => changed.push(old),
                }
            }
            *block = changed;
        }
    }

    /// For each number those whose lists it is in, in rising order.
    pub fn reversed(&self) -> Reversed {
        let mut starts = vec![0u32; self.blocks.len() * BLOCK as usize + 1];
        for block in &self.blocks {
            for &number in &block.numbers {
                starts[number as usize + 1] += 1;
            }
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut next = starts.clone();
        let mut numbers = vec![0u32; starts.last().map_or(0, |&end| end as usize)];
        for (at, block) in self.blocks.iter().enumerate() {
            for item in 0..block.ends.len() {
                for &to in block.of(item) {
                    let place = &mut next[to as usize];
                    numbers[*place as usize] = at as u32 * BLOCK + item as u32;
                    *place += 1;
                }
            }
        }
        Reversed { starts, numbers }
    }
}

/// Links in the other direction.
pub struct Reversed {
    starts: Vec<u32>,
    numbers: Vec<u32>,
}

impl Reversed {
    /// Those that link to a number.
    pub fn of(&self, number: u32) -> &[u32] {
        let number = number as usize;
        match (self.starts.get(number), self.starts.get(number + 1)) {
            (Some(&start), Some(&end)) => &self.numbers[start as usize..end as usize],
            _ => &[],
        }
    }
}
