//! Boosts: fields that lift the scores of items.
//!
//! ```text
//! score' = score + best · Σ weight · share
//! share  = value / (value + pivot)                 of a number with a pivot; 0 below 0
//!        = (value − least) / (largest − least)     of a number without, over the whole shelf
//!        = 1 where true, 0 where false             of a bool
//! ```
//!
//! `best` is the best score that an item can have: 1 for hybrid scores and cosines, the best item's BM25F for words alone.
//! An item without a value has the share 0.

use std::str::FromStr;

use nearshelf_container::Storage;
use serde::Deserialize;

use super::candidate::Place;
use crate::catalog::Catalog;
use crate::columns::ValueRef;
use crate::manifest::{Field, ValueStats};

/// A field that lifts the scores of items, or lowers them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Boost {
    /// A number or bool field.
    pub field: String,
    /// The part of the best score that the largest value adds; below 0 it is taken off.
    pub weight: f32,
    /// The value that has half of the weight, where it is not the middle between the least and the largest: for counts
    /// such as reviews, of which some items have a hundred times as many.
    pub pivot: Option<f64>,
}

impl FromStr for Boost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected FIELD:WEIGHT or FIELD:WEIGHT:PIVOT, found {text:?}");
        let mut parts = text.trim().splitn(3, ':');
        let field = parts.next().filter(|name| !name.is_empty());
        let weight: f32 = parts
            .next()
            .and_then(|w| w.parse().ok())
            .ok_or_else(wrong)?;
        let pivot = parts.next().map(|pivot| pivot.parse().map_err(|_| wrong()));
        Ok(Boost {
            field: field.ok_or_else(wrong)?.to_owned(),
            weight,
            pivot: pivot.transpose()?,
        })
    }
}

/// A boost whose field was found in the shelf.
#[derive(Debug, Clone, Copy)]
pub(super) struct BoostBy {
    pub field: usize,
    weight: f32,
    pivot: Option<f64>,
    range: Option<(f64, f64)>,
}

impl BoostBy {
    /// A boost by field number `field`.
    pub fn new(boost: &Boost, number: usize, field: &Field) -> Self {
        let range = match field.stats.values {
            ValueStats::Number { min, max } => min.zip(max),
            _ => None,
        };
        BoostBy {
            field: number,
            weight: boost.weight,
            pivot: boost.pivot,
            range,
        }
    }

    fn share(&self, value: &ValueRef<'_>) -> f64 {
        match (value, self.pivot, self.range) {
            (ValueRef::Bool(value), ..) => f64::from(u8::from(*value)),
            (ValueRef::Number(value), Some(pivot), _) if *value > 0.0 => value / (value + pivot),
            (ValueRef::Number(value), None, Some((least, largest))) if least < largest => {
                ((value - least) / (largest - least)).clamp(0.0, 1.0)
            }
            _ => 0.0,
        }
    }
}

impl<S: Storage> Catalog<S> {
    /// The sum that boosts add to an item's score, where the best is 1.
    pub(super) fn boost(&self, (shard, item): Place, boosts: &[BoostBy]) -> f32 {
        let of = |boost: &BoostBy| {
            let value = self.value(shard, boost.field, item).unwrap_or_default();
            let share = value.map_or(0.0, |value| boost.share(&value));
            boost.weight * share as f32
        };
        boosts.iter().map(of).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_half_at_the_pivot_and_between_the_ends() {
        let boost = |pivot, range| BoostBy {
            field: 0,
            weight: 1.0,
            pivot,
            range,
        };
        let number = |value| ValueRef::Number(value);
        assert_eq!(boost(Some(100.0), None).share(&number(100.0)), 0.5);
        assert_eq!(boost(Some(100.0), None).share(&number(-5.0)), 0.0);
        let ends = boost(None, Some((1.0, 5.0)));
        assert_eq!(ends.share(&number(3.0)), 0.5);
        assert_eq!(ends.share(&number(9.0)), 1.0);
        assert_eq!(ends.share(&ValueRef::Bool(true)), 1.0);
        assert_eq!(boost(None, None).share(&number(3.0)), 0.0);
    }

    #[test]
    fn fields_weights_and_pivots_are_read() {
        let boost: Boost = "reviews:0.1:100".parse().unwrap();
        assert_eq!((boost.weight, boost.pivot), (0.1, Some(100.0)));
        assert_eq!("rating:-0.5".parse::<Boost>().unwrap().weight, -0.5);
        for wrong in ["", "rating", ":1", "rating:high", "rating:1:x"] {
            assert!(wrong.parse::<Boost>().is_err(), "{wrong}");
        }
    }
}
