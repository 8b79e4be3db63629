//! The sets that the last filters allow, so that the next page of a search looks at no column again.

use std::sync::Arc;

use nearshelf_index::Allowed;

use super::node::Node;

/// Filters whose sets are kept: those of the pages that shoppers of one page turn. 8 KiB a shard, each.
const FILTERS: usize = 8;

/// Sets by filter and shard, the filter asked for last at the end.
#[derive(Debug, Default)]
pub(crate) struct Sets(Vec<(Node, Vec<Option<Arc<Allowed>>>)>);

impl Sets {
    /// The set of a shard, where it is kept.
    pub fn get(&mut self, filter: &Node, shard: usize) -> Option<Arc<Allowed>> {
        let place = self.0.iter().position(|(kept, _)| kept == filter)?;
        let entry = self.0.remove(place);
        let set = entry.1.get(shard).cloned().flatten();
        self.0.push(entry);
        set
    }

    /// Keeps the set of a shard.
    pub fn put(&mut self, filter: &Node, shard: usize, set: Arc<Allowed>) {
        let place = self.0.iter().position(|(kept, _)| kept == filter);
        let place = place.unwrap_or_else(|| {
            if self.0.len() == FILTERS {
                self.0.remove(0);
            }
            self.0.push((filter.clone(), Vec::new()));
            self.0.len() - 1
        });
        let sets = &mut self.0[place].1;
        if sets.len() <= shard {
            sets.resize(shard + 1, None);
        }
        sets[shard] = Some(set);
    }

    /// Forgets the sets of a shard, which is another now.
    pub fn forget(&mut self, shard: usize) {
        for set in self
            .0
            .iter_mut()
            .filter_map(|(_, sets)| sets.get_mut(shard))
        {
            *set = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::Test;

    fn filter(field: usize) -> Node {
        Node::Column {
            field,
            test: Test::Exists,
        }
    }

    #[test]
    fn the_filters_asked_for_last_are_kept() {
        let mut sets = Sets::default();
        let set = |items| Arc::new(Allowed::all(items));
        for field in 0..FILTERS {
            sets.put(&filter(field), 1, set(field));
        }
        assert_eq!(sets.get(&filter(0), 1), Some(set(0)));
        assert_eq!(sets.get(&filter(0), 0), None);
        // The first was asked for: the second goes.
        sets.put(&filter(FILTERS), 0, set(5));
        assert_eq!(sets.get(&filter(1), 1), None);
        assert_eq!(sets.get(&filter(0), 1), Some(set(0)));
        sets.forget(1);
        assert_eq!(sets.get(&filter(0), 1), None);
        assert_eq!(sets.get(&filter(FILTERS), 0), Some(set(5)));
    }
}
