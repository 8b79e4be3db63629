//! Groups of variants: items that share a value of a field, of which the best is a hit.

use std::ops::Range;

use nearshelf_container::Storage;

use super::asked::Asked;
use super::candidate::Place;
use super::matched::Matched;
use crate::catalog::Catalog;
use crate::columns::ValueRef;

/// A value that items share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group<'a> {
    Text(&'a str),
    Number(u64),
    Bool(bool),
}

impl<S: Storage> Catalog<S> {
    /// The group of an item by field number `field`; `None` where it has no value, and stands alone.
    pub(super) fn group(&self, (shard, item): Place, field: usize) -> Option<Group<'_>> {
        match self.value(shard, field, item).unwrap_or_default()? {
            ValueRef::Text(text) => Some(Group::Text(text)),
            ValueRef::Number(number) => Some(Group::Number(number.to_bits())),
            ValueRef::Bool(value) => Some(Group::Bool(value)),
            ValueRef::Tags(_) => None,
        }
    }

    /// The items that may be hits and that are of the groups of some items: a number for each, `None` for one that
    /// stands alone.
    pub(super) fn variants(
        &self,
        asked: &Asked<'_>,
        places: &[Place],
        absent: &mut Vec<(usize, Range<usize>)>,
    ) -> Vec<Option<u64>> {
        let Some(field) = asked.distinct else {
            return vec![None; places.len()];
        };
        let groups: Vec<Option<Group<'_>>> = places
            .iter()
            .map(|&place| self.group(place, field))
            .collect();
        let mut known: Vec<(Group<'_>, u64)> = groups.iter().flatten().map(|&g| (g, 0)).collect();
        known.sort_unstable();
        known.dedup_by_key(|(group, _)| *group);
        let allowed: Matched = self.allowed_sets(asked);
        let is_bool = matches!(known.first(), Some((Group::Bool(_), _)));
        let mut add = |group: Group<'_>, count: u64| {
            if let Ok(at) = known.binary_search_by_key(&group, |(group, _)| *group) {
                known[at].1 += count;
            }
        };
        allowed.read(self, absent, |shard, columns, set| {
            columns.numbers(shard, field, set, |x| add(Group::Number(x.to_bits()), 1))?;
            columns.count(shard, field, set, |word, count| match is_bool {
                true => add(Group::Bool(word == "true"), count),
                false => add(Group::Text(word), count),
            })
        });
        let count = |group: &Option<Group<'_>>| {
            let at = known.binary_search_by_key(group.as_ref()?, |(group, _)| *group);
            Some(known[at.ok()?].1)
        };
        groups.iter().map(count).collect()
    }
}
