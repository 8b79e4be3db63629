//! Sorted lists of bounded length: the nodes that a walk goes through, and those that it found.

/// The best nodes, best first; equal scores in the order of their numbers.
#[derive(Debug, Default)]
pub(crate) struct Beam {
    /// Score, then the number from high to low, then whether the node is still to be expanded: one comparison
    /// orders them.
    keys: Vec<u64>,
    keep: usize,
}

const UNEXPANDED: u64 = 1;

impl Beam {
    /// Empties the list, which then keeps the `keep` best.
    pub fn reset(&mut self, keep: usize) {
        self.keys.clear();
        self.keep = keep;
    }

    /// Keeps the best of many nodes: what a walk puts in its place one by one, a scan sorts a few times.
    pub fn keep_best(&mut self, nodes: &mut Vec<u64>) {
        nodes.sort_unstable_by(|a, b| b.cmp(a));
        nodes.truncate(self.keep);
        self.keys.clear();
        self.keys.extend_from_slice(nodes);
    }

    /// The key that orders a node.
    #[inline]
    pub fn key(score: i32, number: u32) -> u64 {
        let ordered = (score as u32 ^ 0x8000_0000) as u64;
        ordered << 32 | u64::from(!number << 1) | UNEXPANDED
    }

    /// Puts a node in its place, and says which; `None` where it is not among the best.
    #[inline]
    pub fn insert(&mut self, score: i32, number: u32) -> Option<usize> {
        let key = Self::key(score, number);
        if self.keys.len() >= self.keep {
            match self.keys.last() {
                Some(&last) if key > last => self.keys.pop(),
                _ => return None,
            };
        }
        let at = self.keys.partition_point(|&old| old > key);
        self.keys.insert(at, key);
        Some(at)
    }

    /// The first node at `from` or behind it that is still to be expanded.
    #[inline]
    pub fn unexpanded(&self, from: usize) -> Option<usize> {
        let rest = self.keys.get(from..)?;
        let at = rest.iter().position(|key| key & UNEXPANDED != 0)?;
        Some(from + at)
    }

    /// The node at a place.
    #[inline]
    pub fn number(&self, at: usize) -> Option<u32> {
        self.keys.get(at).map(|&key| Self::node(key).1)
    }

    /// Marks a node, and says which it is.
    #[inline]
    pub fn expand(&mut self, at: usize) -> u32 {
        self.keys[at] &= !UNEXPANDED;
        Self::node(self.keys[at]).1
    }

    /// Scores and numbers, best first.
    pub fn nodes(&self) -> impl Iterator<Item = (i32, u32)> {
        self.keys.iter().map(|&key| Self::node(key))
    }

    fn node(key: u64) -> (i32, u32) {
        let score = ((key >> 32) as u32 ^ 0x8000_0000) as i32;
        (score, !(key as u32) >> 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_are_kept_in_order() {
        let mut beam = Beam::default();
        beam.reset(3);
        assert_eq!(beam.insert(-5, 7), Some(0));
        assert_eq!(beam.insert(4, 9), Some(0));
        assert_eq!(beam.insert(4, 2), Some(0));
        assert_eq!(beam.insert(-6, 1), None);
        assert_eq!(beam.insert(0, 3), Some(2));
        let nodes: Vec<_> = beam.nodes().collect();
        assert_eq!(nodes, [(4, 2), (4, 9), (0, 3)]);
        assert_eq!(beam.expand(0), 2);
        assert_eq!(beam.unexpanded(0), Some(1));
        assert_eq!(beam.nodes().next(), Some((4, 2)));
    }
}
