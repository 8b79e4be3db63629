//! Words and meaning in one score.
//!
//! ```text
//! score   = share · words + (1 − share) · meaning
//! share   = weight · coverage of the best item by words
//! words   = BM25F of the item / BM25F of the best item by words
//! meaning = (cos − chance) / (cos of the nearest item − chance), 0 at the least
//! ```
//!
//! Words count as far as they say what is wanted: of "something warm for a rainy hike" the best item by words may hold one
//! word, and its coverage, that word's part of the query by weight, is small.
//!
//! `chance` is the cosine that a query has with any item, which the build measures. Both parts are 1 for the best item, and 0
//! for one that says nothing about the query, however many candidates there are: so the order of two items does not
//! depend on `k`. Chosen on Home Depot's training queries and Icecat against ranks (reciprocal rank fusion) and against
//! scores brought from the least candidate's to the best: see `crates/bench/MEASUREMENTS.md`.

/// The weight of the words where nobody says another.
pub(super) const WEIGHT: f32 = 0.65;

/// The scale of both parts for a query.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    /// The share of the words.
    pub share: f32,
    /// The best item's score by words.
    pub words: f32,
    /// The nearest item's cosine.
    pub nearest: f32,
    /// The cosine of any item.
    pub chance: f32,
}

impl Scale {
    /// The score of an item.
    pub fn score(&self, cosine: Option<f32>, words: f32) -> f32 {
        let part = |value: f32, whole: f32| match whole > 0.0 {
            true => (value / whole).max(0.0),
            false => 0.0,
        };
        let meaning = cosine.map_or(0.0, |cosine| {
            part(cosine - self.chance, self.nearest - self.chance)
        });
        self.share * part(words, self.words) + (1.0 - self.share) * meaning
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_both_is_one_and_chance_is_zero() {
        let scale = Scale {
            share: 0.25,
            words: 8.0,
            nearest: 0.6,
            chance: 0.1,
        };
        assert!((scale.score(Some(0.6), 8.0) - 1.0).abs() < 1e-6);
        assert!((scale.score(Some(0.1), 0.0)).abs() < 1e-6);
        assert!((scale.score(None, 4.0) - 0.125).abs() < 1e-6);
        assert_eq!(scale.score(Some(-0.5), 0.0), 0.0);
        let empty = Scale {
            words: 0.0,
            nearest: 0.0,
            ..scale
        };
        assert_eq!(empty.score(Some(0.0), 0.0), 0.0);
    }
}
