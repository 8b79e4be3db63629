//! Facets: the values that the items of a match set have, and how many items each.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Values that a facet tells where nobody says how many.
const LIMIT: usize = 10;
/// Buckets of a histogram at most.
pub(super) const MAX_BUCKETS: usize = 1000;

/// The question how many items have which values of a field.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct FacetQuery {
    /// The field.
    pub field: String,
    /// Values told, those of most items first; of a text, tags or bool field.
    #[serde(default = "limit")]
    pub limit: usize,
    /// A text that the values told contain, whatever their case.
    pub contains: Option<String>,
    /// Ranges that are counted, from one number to below another; of a number field.
    #[serde(default)]
    pub ranges: Vec<(Option<f64>, Option<f64>)>,
    /// Ranges of equal width from the least number to the largest; 0 for none.
    #[serde(default)]
    pub histogram: usize,
}

fn limit() -> usize {
    LIMIT
}

impl FacetQuery {
    /// The ten values of a field that most items have, or the least and the largest number.
    pub fn new(field: impl Into<String>) -> Self {
        FacetQuery {
            field: field.into(),
            limit: LIMIT,
            contains: None,
            ranges: Vec::new(),
            histogram: 0,
        }
    }
}

/// `brand`, `brand:5`, `brand:5:cal`, `price:0..25|25..50|50..`, `price:histogram:8`.
impl FromStr for FacetQuery {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "expected FIELD, FIELD:LIMIT, FIELD:LIMIT:TEXT, FIELD:FROM..TO|… or FIELD:histogram:N, found {text:?}"
            )
        };
        let mut parts = text.trim().splitn(3, ':');
        let field = parts.next().filter(|name| !name.is_empty());
        let mut facet = FacetQuery::new(field.ok_or_else(wrong)?);
        match (parts.next(), parts.next()) {
            (None, _) => {}
            (Some("histogram"), Some(buckets)) => {
                let buckets = buckets.parse().ok();
                let buckets = buckets.filter(|n| (1..=MAX_BUCKETS).contains(n));
                facet.histogram = buckets.ok_or_else(wrong)?;
            }
            (Some(ranges), None) if ranges.contains("..") => {
                let ranges: Option<Vec<_>> = ranges.split('|').map(range).collect();
                facet.ranges = ranges.ok_or_else(wrong)?;
            }
            (Some(limit), contains) => {
                facet.limit = limit.parse().map_err(|_| wrong())?;
                facet.contains = contains.map(str::to_owned);
            }
        }
        Ok(facet)
    }
}

fn range(text: &str) -> Option<(Option<f64>, Option<f64>)> {
    let (from, to) = text.split_once("..")?;
    let end = |text: &str| match text.trim() {
        "" => Some(None),
        number => Some(Some(number.parse().ok()?)),
    };
    Some((end(from)?, end(to)?))
}

/// The values of a field that items of the match set have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facet {
    /// The field.
    pub field: String,
    /// The counts, by the field's type.
    #[serde(flatten)]
    pub counts: FacetCounts,
}

/// Counts of values, by the field's type.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum FacetCounts {
    /// Of a text, tags or bool field.
    Values {
        /// The values with their items, those of most items first, equal counts in the order of the values.
        values: Vec<ValueCount>,
        /// Values that there are, told or not.
        distinct: usize,
    },
    /// Of a number field.
    Numbers {
        /// The least number; `None` where no item has one.
        min: Option<f64>,
        /// The largest number.
        max: Option<f64>,
        /// The ranges that were asked for.
        ranges: Vec<RangeCount>,
        /// Ranges of equal width from the least to the largest number, which the last one holds.
        histogram: Vec<RangeCount>,
    },
}

/// A value with its items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValueCount {
    /// The value; of a bool field `true` or `false`.
    pub value: String,
    /// Items that have it.
    pub count: u64,
}

/// A range of numbers with its items.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RangeCount {
    /// The number that it begins with.
    pub from: Option<f64>,
    /// The number below which it ends.
    pub to: Option<f64>,
    /// Items in it.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facets_are_read() {
        let facet = |text: &str| text.parse::<FacetQuery>().unwrap();
        assert_eq!(facet("brand"), FacetQuery::new("brand"));
        assert_eq!(facet("brand:5").limit, 5);
        assert_eq!(facet("brand:5:cal").contains.as_deref(), Some("cal"));
        assert_eq!(facet("price:histogram:8").histogram, 8);
        let ranges = facet("price:0..25|25..50|50..").ranges;
        assert_eq!(
            ranges,
            [
                (Some(0.0), Some(25.0)),
                (Some(25.0), Some(50.0)),
                (Some(50.0), None)
            ]
        );
        for wrong in [
            "",
            ":5",
            "brand:x",
            "price:histogram",
            "price:histogram:0",
            "price:a..b",
        ] {
            assert!(wrong.parse::<FacetQuery>().is_err(), "{wrong}");
        }
    }
}
