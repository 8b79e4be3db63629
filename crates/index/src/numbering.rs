//! The numbers that links name items by, over all shards of a shelf.

/// Numbers that links of 24 bits can name.
pub const MAX_NUMBERS: u32 = 1 << 24;

/// The first number of each shard: shards in their order, each at the next multiple of 1024.
#[derive(Debug, Clone, Default)]
pub struct Numbering {
    starts: Vec<u32>,
    /// The shard of each block of numbers.
    shards: Vec<u16>,
}

const BLOCK: u32 = Numbering::BLOCK;

impl Numbering {
    /// A shard's items begin at a multiple of this, so that a number's shard is found in a small table.
    pub const BLOCK: u32 = 1024;

    /// The numbering of shards with so many items. Shards beyond [`MAX_NUMBERS`] have no numbers: no link leads there.
    pub fn new(items: impl IntoIterator<Item = u32>) -> Self {
        let mut numbering = Numbering::default();
        let mut next = 0u32;
        for (shard, items) in items.into_iter().enumerate() {
            numbering.starts.push(next);
            let end = next.saturating_add(items).next_multiple_of(BLOCK);
            if let (Ok(shard), true) = (u16::try_from(shard), end <= MAX_NUMBERS) {
                numbering.shards.resize((end / BLOCK) as usize, shard);
                next = end;
            } else {
                next = MAX_NUMBERS;
            }
        }
        numbering
    }

    /// Whether these shards have a number for every item.
    pub fn holds(items: impl IntoIterator<Item = u32>) -> bool {
        let mut numbers = 0u64;
        let mut shards = 0;
        for items in items {
            numbers += u64::from(items.div_ceil(BLOCK)) * u64::from(BLOCK);
            shards += 1;
        }
        numbers <= u64::from(MAX_NUMBERS) && shards <= usize::from(u16::MAX)
    }

    /// The number of an item.
    pub fn number(&self, shard: usize, item: u32) -> u32 {
        self.starts.get(shard).map_or(MAX_NUMBERS, |s| s + item)
    }

    /// Shard and item of a number; the item may be past the shard's last.
    #[inline(always)]
    pub fn place(&self, number: u32) -> Option<(usize, u32)> {
        let shard = usize::from(*self.shards.get((number / BLOCK) as usize)?);
        Some((shard, number - self.starts.get(shard)?))
    }

    /// Numbers, those between shards among them.
    pub fn len(&self) -> usize {
        self.shards.len() * BLOCK as usize
    }

    /// Whether there is no number.
    pub fn is_empty(&self) -> bool {
        self.shards.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_places_belong_to_each_other() {
        let numbering = Numbering::new([1500, 0, 1024, 1]);
        assert_eq!(numbering.len(), 4096);
        for (shard, items, start) in [(0, 1500, 0), (2, 1024, 2048), (3, 1, 3072)] {
            for item in [0, items - 1] {
                assert_eq!(numbering.number(shard, item), start + item);
                assert_eq!(numbering.place(start + item), Some((shard, item)));
            }
        }
        assert_eq!(numbering.place(4096), None);
    }

    #[test]
    fn what_links_cannot_name_has_no_number() {
        let items = [MAX_NUMBERS - 1024, 1025, u32::MAX, 3];
        assert!(!Numbering::holds(items));
        let numbering = Numbering::new(items);
        assert_eq!(numbering.place(MAX_NUMBERS - 1), None);
        assert!(Numbering::holds([MAX_NUMBERS - 1024, 1024]));
    }
}
