//! The visiting rule: which shards a query goes to, in which order, and when it has seen enough. Search and
//! prefetch both follow it, so that a page fetches the shards that a search would look at.

use nearshelf_container::Storage;
use nearshelf_index::dot_f32;

use super::options::SearchOptions;
use crate::catalog::Catalog;
use crate::query::Target;

/// When a query has seen enough shards.
#[derive(Debug, Clone, Copy)]
pub(super) struct VisitingRule {
    probe: usize,
    k: usize,
}

impl VisitingRule {
    /// The rule for `k` hits from at least `probe` shards.
    pub fn new(k: usize, probe: usize) -> Self {
        VisitingRule {
            probe: probe.max(1),
            k,
        }
    }

    /// Whether the next shard is visited, after `visited` shards with `items` items that may be hits.
    pub fn goes_on(self, visited: usize, items: usize) -> bool {
        self.k > 0 && (visited < self.probe || items < self.k)
    }
}

impl<S: Storage> Catalog<S> {
    /// The shards by how near their middle is to a unit vector, nearest first.
    pub fn route(&self, vector: &[f32]) -> Vec<usize> {
        route(self.manifest().shards.iter().map(|s| &s.centroid), vector)
    }

    /// The shards that a search would look at and that are not attached, nearest first.
    pub fn missing(&self, target: &Target, options: &SearchOptions) -> Vec<usize> {
        let manifest = self.manifest();
        let probe = options.probe.unwrap_or(manifest.search.probe as usize);
        let rule = VisitingRule::new(options.k, probe);
        let mut items = 0;
        self.route(target.vector())
            .into_iter()
            .enumerate()
            .take_while(|&(visited, number)| {
                let visits = rule.goes_on(visited, items);
                items += manifest.shards[number].items as usize;
                visits
            })
            .map(|(_, number)| number)
            .filter(|&number| self.shard(number).is_none())
            .collect()
    }
}

/// The order in which a query goes to shards with these unit centroids, nearest first.
pub fn route<'a>(centroids: impl Iterator<Item = &'a Vec<f32>>, vector: &[f32]) -> Vec<usize> {
    let scores: Vec<f32> = centroids
        .map(|centroid| dot_f32(centroid, vector))
        .collect();
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    order
}
