//! Which items of a shard may be hits.

use std::sync::Arc;

/// Says of each item whether it may be a hit. Links of items that may not still lead to those that may.
pub trait Accept {
    /// Whether every item may be a hit: the compiler then leaves the question out.
    const ALL: bool;

    /// Whether this item of this shard may be a hit.
    fn accepts(&self, shard: usize, item: u16) -> bool;

    /// The first item from `from` on, and below `end`, that may be a hit.
    fn next(&self, shard: usize, from: u32, end: u32) -> Option<u32>;
}

/// Every item.
#[derive(Debug, Clone, Copy, Default)]
pub struct All;

impl Accept for All {
    const ALL: bool = true;

    #[inline(always)]
    fn accepts(&self, _: usize, _: u16) -> bool {
        true
    }

    #[inline(always)]
    fn next(&self, _: usize, from: u32, end: u32) -> Option<u32> {
        (from < end).then_some(from)
    }
}

/// A set of items for each shard; of a shard without one, none may be a hit.
#[derive(Debug, Clone, Default)]
pub struct AllowedByShard(Vec<Option<Arc<Allowed>>>);

impl AllowedByShard {
    /// Sets the items of a shard that may be hits.
    pub fn set(&mut self, shard: usize, allowed: Arc<Allowed>) {
        if self.0.len() <= shard {
            self.0.resize(shard + 1, None);
        }
        self.0[shard] = Some(allowed);
    }
}

impl Accept for AllowedByShard {
    const ALL: bool = false;

    #[inline]
    fn accepts(&self, shard: usize, item: u16) -> bool {
        let allowed = self.0.get(shard).and_then(Option::as_deref);
        allowed.is_some_and(|allowed| allowed.contains(item))
    }

    #[inline]
    fn next(&self, shard: usize, from: u32, end: u32) -> Option<u32> {
        let allowed = self.0.get(shard).and_then(Option::as_deref)?;
        allowed.next(from).filter(|&item| item < end)
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

    /// All of a shard's items.
    pub fn all(items: usize) -> Self {
        let mut allowed = Allowed::none(items);
        allowed.invert(items);
        allowed
    }

    /// The items for which `accepts` is true.
    pub fn where_(items: usize, mut accepts: impl FnMut(u16) -> bool) -> Self {
        let mut allowed = Allowed::none(items);
        let items = items.min(crate::MAX_ITEMS);
        for (place, word) in allowed.bits.iter_mut().enumerate() {
            let first = 64 * place;
            for item in first..items.min(first + 64) {
                *word |= u64::from(accepts(item as u16)) << (item - first);
            }
            allowed.count += word.count_ones() as usize;
        }
        allowed
    }

    /// The items whose values pass, a value for each.
    pub fn of_values<T>(values: &[T], passes: impl Fn(&T) -> bool) -> Self {
        let mut allowed = Allowed::none(values.len());
        for (word, values) in allowed.bits.iter_mut().zip(values.chunks(64)) {
            for (bit, value) in values.iter().enumerate() {
                *word |= u64::from(passes(value)) << bit;
            }
            allowed.count += word.count_ones() as usize;
        }
        allowed
    }

    /// The items in the set, in rising order.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        self.bits.iter().enumerate().flat_map(|(place, &word)| {
            let mut left = word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some((64 * place) as u16 + bit as u16)
            })
        })
    }

    /// The first item from `from` on.
    #[inline]
    fn next(&self, from: u32) -> Option<u32> {
        let mut place = from as usize / 64;
        let mut word = *self.bits.get(place)? & (!0 << (from % 64));
        while word == 0 {
            place += 1;
            word = *self.bits.get(place)?;
        }
        Some(64 * place as u32 + word.trailing_zeros())
    }

    /// Adds an item; one that the shard does not have is left out.
    pub fn insert(&mut self, item: u16) {
        if let Some(word) = self.bits.get_mut(usize::from(item / 64)) {
            self.count += usize::from(*word >> (item % 64) & 1 == 0);
            *word |= 1 << (item % 64);
        }
    }

    /// The same of an item by its place among those of any shard.
    pub fn include(&mut self, item: u32) {
        if let Ok(item) = u16::try_from(item) {
            self.insert(item);
        }
    }

    /// Leaves the items that are in the other set too.
    pub fn intersect(&mut self, other: &Allowed) {
        self.combine(other, |a, b| a & b);
    }

    /// Adds the items of the other set, which is one of as many items.
    pub fn unite(&mut self, other: &Allowed) {
        self.combine(other, |a, b| a | b);
    }

    /// Exchanges the items that are in with those of the shard's `items` that are not.
    pub fn invert(&mut self, items: usize) {
        for word in &mut self.bits {
            *word = !*word;
        }
        if let Some(last) = self.bits.last_mut().filter(|_| !items.is_multiple_of(64)) {
            *last &= (1 << (items % 64)) - 1;
        }
        self.count = items - self.count;
    }

    fn combine(&mut self, other: &Allowed, how: impl Fn(u64, u64) -> u64) {
        self.count = 0;
        let others = other.bits.iter().copied().chain(std::iter::repeat(0));
        for (word, other) in self.bits.iter_mut().zip(others) {
            *word = how(*word, other);
            self.count += word.count_ones() as usize;
        }
    }

    /// Takes an item out.
    pub fn remove(&mut self, item: u16) {
        if let Some(word) = self.bits.get_mut(usize::from(item / 64)) {
            self.count -= usize::from(*word >> (item % 64) & 1 == 1);
            *word &= !(1 << (item % 64));
        }
    }

    /// Whether an item is in the set.
    #[inline]
    pub fn contains(&self, item: u16) -> bool {
        self.bits
            .get(usize::from(item / 64))
            .is_some_and(|word| word >> (item % 64) & 1 == 1)
    }

    /// The same of an item by its place among those of any shard: one past the largest shard is in no set.
    pub fn holds(&self, item: u32) -> bool {
        u16::try_from(item).is_ok_and(|item| self.contains(item))
    }

    /// The items in the set.
    pub fn count(&self) -> usize {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_counts_what_is_in_it() {
        let mut allowed = Allowed::where_(130, |item| item % 3 == 0);
        assert_eq!(allowed.count(), 44);
        allowed.insert(1);
        allowed.insert(1);
        allowed.insert(500);
        allowed.remove(0);
        allowed.remove(0);
        assert_eq!(allowed.count(), 44);
        assert!(allowed.contains(1) && !allowed.contains(0) && allowed.contains(129));
        assert!(!allowed.contains(500));
        assert!(allowed.holds(129) && !allowed.holds(129 + (1 << 16)));
        let items: Vec<u16> = allowed.iter().collect();
        let next = std::iter::successors(allowed.next(0), |&item| allowed.next(item + 1));
        assert!(next.eq(items.iter().map(|&item| u32::from(item))));
        assert_eq!((items.len(), &items[..4]), (44, &[1, 3, 6, 9][..]));
        assert_eq!(
            Allowed::all(130).iter().collect::<Vec<_>>(),
            (0..130).collect::<Vec<_>>()
        );
    }

    #[test]
    fn sets_are_combined_and_keep_count() {
        let of = |n: u16| Allowed::where_(130, |item| item % n == 0);
        let (twos, threes) = (of(2), of(3));
        let both = |how: fn(&mut Allowed, &Allowed)| {
            let mut set = twos.clone();
            how(&mut set, &threes);
            set
        };
        assert_eq!(both(Allowed::intersect), of(6));
        assert_eq!(
            both(Allowed::unite),
            Allowed::where_(130, |item| item % 2 == 0 || item % 3 == 0)
        );
        let mut odd = twos.clone();
        odd.invert(130);
        assert_eq!(odd, Allowed::where_(130, |item| item % 2 == 1));
        assert_eq!(Allowed::all(130), of(1));
        assert_eq!(Allowed::all(128).count(), 128);
    }
}
