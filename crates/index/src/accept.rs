//! Which items of a shard may be hits.

/// Says of each item of a shard whether it may be a hit. Items that may not are still walked through: they are
/// the way to those that may.
pub trait Accept {
    /// Whether every item may be a hit: the compiler then leaves the question out.
    const ALL: bool;

    /// Whether this item may be a hit.
    fn accepts(&self, item: u16) -> bool;

    /// The number of a shard's `items` that may be hits.
    fn count(&self, items: usize) -> usize;
}

/// Every item.
#[derive(Debug, Clone, Copy, Default)]
pub struct All;

impl Accept for All {
    const ALL: bool = true;

    #[inline(always)]
    fn accepts(&self, _: u16) -> bool {
        true
    }

    fn count(&self, items: usize) -> usize {
        items
    }
}

/// A set of items, a bit each: 8 KiB for the largest shard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    bits: Vec<u64>,
    count: usize,
}

impl Allowed {
    /// None of a shard's items.
    pub fn none(items: usize) -> Self {
        Allowed {
            bits: vec![0; items.div_ceil(64)],
            count: 0,
        }
    }

    /// The items for which `accepts` is true.
    pub fn where_(items: usize, mut accepts: impl FnMut(u16) -> bool) -> Self {
        let mut allowed = Allowed::none(items);
        for item in 0..items.min(crate::MAX_ITEMS) as u16 {
            if accepts(item) {
                allowed.insert(item);
            }
        }
        allowed
    }

    /// Adds an item; one that the shard does not have is left out.
    pub fn insert(&mut self, item: u16) {
        if let Some(word) = self.bits.get_mut(usize::from(item / 64)) {
            self.count += usize::from(*word >> (item % 64) & 1 == 0);
            *word |= 1 << (item % 64);
        }
    }

    /// Takes an item out.
    pub fn remove(&mut self, item: u16) {
        if let Some(word) = self.bits.get_mut(usize::from(item / 64)) {
            self.count -= usize::from(*word >> (item % 64) & 1 == 1);
            *word &= !(1 << (item % 64));
        }
    }
}

impl Accept for Allowed {
    const ALL: bool = false;

    #[inline]
    fn accepts(&self, item: u16) -> bool {
        self.bits
            .get(usize::from(item / 64))
            .is_some_and(|word| word >> (item % 64) & 1 == 1)
    }

    fn count(&self, _: usize) -> usize {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_counts_what_is_in_it() {
        let mut allowed = Allowed::where_(130, |item| item % 3 == 0);
        assert_eq!(allowed.count(130), 44);
        allowed.insert(1);
        allowed.insert(1);
        allowed.insert(500);
        allowed.remove(0);
        allowed.remove(0);
        assert_eq!(allowed.count(130), 44);
        assert!(allowed.accepts(1) && !allowed.accepts(0) && allowed.accepts(129));
        assert!(!allowed.accepts(500));
    }
}
