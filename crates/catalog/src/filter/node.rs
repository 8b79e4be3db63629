//! A filter over the columns of a shelf: the set of a shard's items that it allows, and what statistics tell beforehand.

use std::ops::Bound;

use nearshelf_container::{Absent, Storage};
use nearshelf_index::{Allowed, Shard};

use crate::columns::{Columns, Test};
use crate::manifest::{FieldStats, ValueStats};

/// A filter whose fields are columns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Column { field: usize, test: Test },
}

impl Node {
    /// The items of a shard for which it holds.
    ///
    /// # Errors
    /// A column that is not here.
    pub fn allowed<S: Storage>(
        &self,
        shard: &Shard<S>,
        columns: &Columns,
    ) -> Result<Allowed, Absent> {
        let items = shard.len();
        Ok(match self {
            Node::All(nodes) => {
                let mut allowed = Allowed::all(items);
                for node in nodes {
                    allowed.intersect(&node.allowed(shard, columns)?);
                }
                allowed
            }
            Node::Any(nodes) => {
                let mut allowed = Allowed::none(items);
                for node in nodes {
                    allowed.unite(&node.allowed(shard, columns)?);
                }
                allowed
            }
            Node::Not(node) => {
                let mut allowed = node.allowed(shard, columns)?;
                allowed.invert(items);
                allowed
            }
            Node::Column { field, test } => columns.matching(shard, *field, test)?,
        })
    }

    /// Whether an item of a shard with these statistics, one for each field, may be allowed.
    pub fn may_match(&self, stats: &[FieldStats]) -> bool {
        match self {
            Node::All(nodes) => nodes.iter().all(|node| node.may_match(stats)),
            Node::Any(nodes) => nodes.iter().any(|node| node.may_match(stats)),
            // The statistics tell what is there, not what is everywhere.
            Node::Not(_) => true,
            Node::Column { field, test } => {
                stats.get(*field).is_none_or(|stats| may_hold(test, stats))
            }
        }
    }
}

fn may_hold(test: &Test, stats: &FieldStats) -> bool {
    if stats.present == 0 {
        return false;
    }
    match (test, stats.values) {
        (Test::Bool(true), ValueStats::Bool { trues }) => trues > 0,
        (Test::Bool(false), ValueStats::Bool { trues }) => trues < stats.present,
        (
            Test::Between(least, most),
            ValueStats::Number {
                min: Some(min),
                max: Some(max),
            },
        ) => {
            let above = match *least {
                Bound::Included(bound) => max >= bound,
                Bound::Excluded(bound) => max > bound,
                Bound::Unbounded => true,
            };
            let below = match *most {
                Bound::Included(bound) => min <= bound,
                Bound::Excluded(bound) => min < bound,
                Bound::Unbounded => true,
            };
            above && below
        }
        (
            Test::Numbers(numbers),
            ValueStats::Number {
                min: Some(min),
                max: Some(max),
            },
        ) => numbers.iter().any(|number| (min..=max).contains(number)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_rule_out_what_cannot_be_and_nothing_else() {
        let number = |min, max| FieldStats {
            present: 3,
            values: ValueStats::Number { min, max },
        };
        let stats = [
            number(Some(10.0), Some(20.0)),
            FieldStats {
                present: 3,
                values: ValueStats::Bool { trues: 0 },
            },
            FieldStats {
                present: 0,
                values: ValueStats::Text { distinct: 0 },
            },
        ];
        let node = |field, test| Node::Column { field, test };
        let between = |least, most| node(0, Test::Between(least, most));
        let (unbounded, at) = (Bound::Unbounded, Bound::Included);
        for (filter, expected) in [
            (between(at(20.0), unbounded), true),
            (between(Bound::Excluded(20.0), unbounded), false),
            (between(unbounded, at(10.0)), true),
            (between(unbounded, Bound::Excluded(10.0)), false),
            (node(0, Test::Numbers(vec![5.0, 15.0])), true),
            (node(0, Test::Numbers(vec![5.0, 25.0])), false),
            (node(1, Test::Bool(true)), false),
            (node(1, Test::Bool(false)), true),
            (node(2, Test::Exists), false),
            (Node::Not(Box::new(node(2, Test::Exists))), true),
            (
                Node::Any(vec![node(1, Test::Bool(true)), node(0, Test::Exists)]),
                true,
            ),
            (
                Node::All(vec![node(1, Test::Bool(true)), node(0, Test::Exists)]),
                false,
            ),
            (node(9, Test::Exists), true),
        ] {
            assert_eq!(filter.may_match(&stats), expected, "{filter:?}");
        }
    }
}
