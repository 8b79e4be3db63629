//! Items on their way to being hits, and what is known of each.

use std::cmp::Ordering;

use nearshelf_lexical::Naming;

/// An item, by shard and place.
pub(super) type Place = (u32, u32);

/// The parts of an item's score.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Parts {
    /// Cosine of query and item: 1 for the same direction. `None` where meanings were not compared.
    pub meaning: Option<f32>,
    /// Score of the words that query and item share (BM25F); `None` where words were not compared.
    pub words: Option<f32>,
    /// The share of the query's words that the item has, each by its weight, 0 to 1.
    pub coverage: f32,
    /// Whether the query names the item. Such items come first.
    pub named: Naming,
}

/// An item with its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ranked {
    pub place: Place,
    pub score: f32,
    pub parts: Parts,
}

impl Ranked {
    /// An item of which nothing is known yet.
    pub fn at(place: Place) -> Self {
        Ranked {
            place,
            score: 0.0,
            parts: Parts::default(),
        }
    }
}

/// Puts items in the order of hits: by score, then by place.
pub(super) fn rank(items: &mut [Ranked]) {
    order(items, |a, b| {
        let score = b.score.total_cmp(&a.score);
        score.then(a.place.cmp(&b.place))
    });
}

/// Puts items in the order of their places; of two entries of one item, the one that has its cosine stands first.
pub(super) fn by_place(items: &mut [Ranked]) {
    order(items, |a, b| {
        let meaning = b.parts.meaning.is_some().cmp(&a.parts.meaning.is_some());
        a.place.cmp(&b.place).then(meaning)
    });
}

/// One sort for both orders: each takes kilobytes in a page.
fn order(items: &mut [Ranked], by: fn(&Ranked, &Ranked) -> Ordering) {
    items.sort_unstable_by(by);
}
