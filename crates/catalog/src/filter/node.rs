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
