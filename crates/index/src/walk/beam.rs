//! Sorted lists of bounded length: the nodes that a walk goes through, and those that it found.

use std::cmp::Ordering;

/// A node of a walk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub score: f32,
    pub item: u16,
    pub expanded: bool,
}

impl Node {
    pub fn new(item: u16, score: f32) -> Self {
        Node {
            score,
            item,
            expanded: false,
        }
    }

    /// Better first; equal scores in the order of items.
    pub fn rank(&self, other: &Self) -> Ordering {
        other
            .score
            .total_cmp(&self.score)
            .then(self.item.cmp(&other.item))
    }
}

/// Inserts into a list sorted by `rank`, which keeps at most `keep`, where the new one comes before
/// place `limit`; the place, if it does.
#[inline]
pub(super) fn insert<T>(
    list: &mut Vec<T>,
    keep: usize,
    limit: usize,
    new: T,
    rank: impl Fn(&T, &T) -> Ordering,
) -> Option<usize> {
    if let Some(last) = limit.checked_sub(1).and_then(|last| list.get(last))
        && rank(&new, last) != Ordering::Less
    {
        return None;
    }
    let at = list.partition_point(|old| rank(old, &new) == Ordering::Less);
    if at >= limit {
        return None;
    }
    if list.len() >= keep {
        list.pop();
    }
    list.insert(at, new);
    Some(at)
}
