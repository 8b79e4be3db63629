//! Memory that walks and scans reuse.

use super::beam::Node;
use crate::graph::{DEGREE, NO_LINK};

/// Memory that walks and scans reuse: one for each thread that searches.
#[derive(Debug, Default)]
pub struct Scratch {
    /// A bit for each item: 8 KiB at most, which stay in the first-level cache.
    pub(super) visited: Vec<u64>,
    /// The nodes that the walk goes through, best first.
    pub(super) beam: Vec<Node>,
    /// The items that may be hits, best first, where not all may.
    pub(super) results: Vec<Node>,
    pub(crate) items: Vec<u16>,
    pub(crate) dots: Vec<i32>,
}

/// Marks an item: 1 if it was new, else 0.
#[inline]
pub(super) fn visit(visited: &mut [u64], item: u16) -> usize {
    match visited.get_mut(usize::from(item / 64)) {
        Some(word) => {
            let bit = item % 64;
            let new = !*word >> bit & 1;
            *word |= 1 << bit;
            new as usize
        }
        None => 0,
    }
}

/// Marks the linked items and puts those that are new in front of `items`; how many they are.
#[inline]
pub(super) fn unvisited(row: &[[u8; 2]; DEGREE], visited: &mut [u64], items: &mut [u16]) -> usize {
    let mut count = 0;
    for link in row.map(u16::from_le_bytes) {
        if link == NO_LINK {
            break;
        }
        // Written always and counted if new: whether a node is new cannot be foreseen.
        if let Some(slot) = items.get_mut(count) {
            *slot = link;
        }
        count += visit(visited, link);
    }
    count
}
