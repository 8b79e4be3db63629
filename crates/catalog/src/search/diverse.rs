//! Diversity: hits that are not all alike, by maximal marginal relevance (Carbonell, Goldstein 1998):
//!
//! ```text
//! next = argmax over the items left of (1 − λ) · relevance − λ · max over the hits so far of cos(item, hit)
//! ```
//!
//! `relevance` falls from 1 for the first of the pool to 0 behind the last, in equal steps: scores of different kinds of search
//! fall each in its way, by rank λ means the same for all. The pool is of one size, so that a page is the same whichever
//! hits are asked for.

use nearshelf_container::{Absent, Storage};
use nearshelf_index::dot_f32;

use super::candidate::Ranked;
use super::gathered::Gathered;
use crate::catalog::Catalog;
use crate::unit::unit;

/// Items that hits are taken from.
const POOL: usize = 100;

impl<S: Storage> Catalog<S> {
    /// Puts `wanted` of the best [`POOL`], which are ranked, in the order of maximal marginal relevance; the others stay
    /// behind them as they were.
    pub(super) fn diversify(&self, found: &mut Gathered, wanted: usize, lambda: f32) {
        let mut pool = std::mem::take(&mut found.ranked);
        let rest = pool.split_off(POOL.min(pool.len()));
        let mut vectors = Vec::with_capacity(pool.len());
        for item in &pool {
            let (shard, place) = item.place;
            let opened = self.shard(shard as usize);
            let vector = opened.map(|shard| shard.vector(place as usize)).transpose();
            vectors.push(match vector {
                Ok(vector) => vector.flatten().map(unit),
                Err(Absent(range)) => {
                    found.absent.push((shard as usize, range));
                    None
                }
            });
        }
        found.ranked = order(pool, &vectors, wanted, lambda);
        found.ranked.extend(rest);
    }
}

fn order(
    pool: Vec<Ranked>,
    vectors: &[Option<Vec<f32>>],
    wanted: usize,
    lambda: f32,
) -> Vec<Ranked> {
    let items = pool.len().max(1) as f32;
    // The nearest hit's cosine, for each item of the pool.
    let mut alike = vec![0f32; pool.len()];
    let mut left: Vec<usize> = (0..pool.len()).collect();
    let mut taken = Vec::with_capacity(pool.len());
    while taken.len() < wanted && !left.is_empty() {
        let value =
            |&place: &usize| (1.0 - lambda) * (1.0 - place as f32 / items) - lambda * alike[place];
        // The first of equal ones: the pool's order decides.
        let mut next = 0;
        for at in 1..left.len() {
            if value(&left[at]).total_cmp(&value(&left[next])).is_gt() {
                next = at;
            }
        }
        let place = left.remove(next);
        taken.push(place);
        if let Some(hit) = &vectors[place] {
            for &other in &left {
                if let Some(vector) = &vectors[other] {
                    alike[other] = alike[other].max(dot_f32(hit, vector));
                }
            }
        }
    }
    taken.extend(left);
    taken.into_iter().map(|place| pool[place]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::candidate::Parts;
    use super::*;

    #[test]
    fn what_is_alike_stands_further_behind() {
        let item = |place: u32, score: f32| Ranked {
            place: (0, place),
            score,
            parts: Parts::default(),
        };
        let pool = || vec![item(0, 1.0), item(1, 0.9), item(2, 0.5), item(3, 0.1)];
        let vectors = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]].map(|v| Some(v.to_vec()));
        let places = |lambda, wanted| -> Vec<u32> {
            let found = order(pool(), &vectors, wanted, lambda);
            found.iter().map(|item| item.place.1).collect()
        };
        assert_eq!(places(0.0, 4), [0, 1, 2, 3]);
        assert_eq!(places(0.5, 4), [0, 2, 1, 3]);
        // Those behind the wanted ones stay.
        assert_eq!(places(0.5, 1), [0, 1, 2, 3]);
    }
}
