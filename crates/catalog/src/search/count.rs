//! Counting of facets over a match set.

use std::collections::HashMap;

use nearshelf_container::Storage;

use super::facets::{Facet, FacetCounts, FacetQuery, MAX_BUCKETS, RangeCount, ValueCount};
use super::matched::Matched;
use crate::catalog::Catalog;
use crate::columns::FieldKind;

impl<S: Storage> Catalog<S> {
    /// The facet of field number `field` over a match set.
    pub(super) fn facet(
        &self,
        asked: &FacetQuery,
        field: usize,
        matched: &Matched,
        absent: &mut Vec<(usize, std::ops::Range<usize>)>,
    ) -> Facet {
        let kind = self.manifest().fields[field].kind;
        let counts = match kind {
            FieldKind::Number => self.facet_numbers(asked, field, matched, absent),
            _ => self.facet_values(asked, field, matched, absent),
        };
        Facet {
            field: asked.field.clone(),
            counts,
        }
    }

    fn facet_values(
        &self,
        asked: &FacetQuery,
        field: usize,
        matched: &Matched,
        absent: &mut Vec<(usize, std::ops::Range<usize>)>,
    ) -> FacetCounts {
        let mut counts: HashMap<&str, u64> = HashMap::new();
        matched.read(self, absent, |shard, columns, set| {
            let each = |word, count| *counts.entry(word).or_default() += count;
            columns.count(shard, field, set, each)
        });
        if let Some(part) = &asked.contains {
            let part = part.to_lowercase();
            counts.retain(|word, _| word.to_lowercase().contains(&part));
        }
        let distinct = counts.len();
        let mut values: Vec<(&str, u64)> = counts.into_iter().collect();
        let order = |a: &(&str, u64), b: &(&str, u64)| b.1.cmp(&a.1).then(a.0.cmp(b.0));
        if asked.limit < values.len() {
            if asked.limit > 0 {
                values.select_nth_unstable_by(asked.limit - 1, order);
            }
            values.truncate(asked.limit);
        }
        values.sort_unstable_by(order);
        let told = |(word, count): (&str, u64)| ValueCount {
            value: word.to_owned(),
            count,
        };
        FacetCounts::Values {
            values: values.into_iter().map(told).collect(),
            distinct,
        }
    }

    fn facet_numbers(
        &self,
        asked: &FacetQuery,
        field: usize,
        matched: &Matched,
        absent: &mut Vec<(usize, std::ops::Range<usize>)>,
    ) -> FacetCounts {
        let mut numbers = Vec::new();
        matched.read(self, absent, |shard, columns, set| {
            columns.numbers(shard, field, set, |x| numbers.push(x))
        });
        numbers.retain(|x: &f64| x.is_finite());
        let least = numbers.iter().copied().reduce(f64::min);
        let ends = least.zip(numbers.iter().copied().reduce(f64::max));
        let mut ranges: Vec<RangeCount> = asked
            .ranges
            .iter()
            .map(|&(from, to)| RangeCount { from, to, count: 0 })
            .collect();
        for range in &mut ranges {
            let from = range.from.unwrap_or(f64::NEG_INFINITY);
            let to = range.to.unwrap_or(f64::INFINITY);
            let held = numbers.iter().filter(|x| (from..to).contains(x));
            range.count = held.count() as u64;
        }
        FacetCounts::Numbers {
            min: ends.map(|(least, _)| least),
            max: ends.map(|(_, largest)| largest),
            ranges,
            histogram: histogram(&numbers, ends, asked.histogram.min(MAX_BUCKETS)),
        }
    }
}

/// Counts of `buckets` ranges of equal width.
fn histogram(numbers: &[f64], ends: Option<(f64, f64)>, buckets: usize) -> Vec<RangeCount> {
    let Some((least, largest)) = ends.filter(|_| buckets > 0) else {
        return vec![];
    };
    let width = (largest - least) / buckets as f64;
    let buckets = if width > 0.0 { buckets } else { 1 };
    let edge = |bucket: usize| match bucket == buckets {
        true => largest,
        false => least + width * bucket as f64,
    };
    let mut counted: Vec<RangeCount> = (0..buckets)
        .map(|bucket| RangeCount {
            from: Some(edge(bucket)),
            to: Some(edge(bucket + 1)),
            count: 0,
        })
        .collect();
    for number in numbers {
        // The edges decide, not a quotient that is rounded.
        let after = counted.partition_point(|range| range.from.is_some_and(|from| from <= *number));
        if let Some(range) = counted.get_mut(after.saturating_sub(1)) {
            range.count += 1;
        }
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_holds_every_number_once() {
        let numbers = [1.0, 2.0, 2.5, 3.0, 5.0, 9.0];
        let found = histogram(&numbers, Some((1.0, 9.0)), 4);
        let counts: Vec<u64> = found.iter().map(|range| range.count).collect();
        assert_eq!(counts, [3, 1, 1, 1]);
        assert_eq!((found[0].from, found[3].to), (Some(1.0), Some(9.0)));
        let one = histogram(&[3.0, 3.0], Some((3.0, 3.0)), 4);
        assert_eq!((one.len(), one[0].count), (1, 2));
        assert!(histogram(&[], None, 4).is_empty());
    }
}
