//! Hard negatives: items that the model ranks high for a query and that nobody judged to fit.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::error::Result;
use crate::examples::Examples;
use crate::recipe::HardNegatives;
use crate::tower::Tower;

/// For every group some items, drawn from its first hits in the project's own index.
pub(crate) fn hard_negatives(
    tower: &Tower,
    examples: &Examples,
    rule: HardNegatives,
    seed: u64,
) -> Result<Vec<Vec<usize>>> {
    let items = tower.encode(&examples.items.ids)?;
    let texts: Vec<Vec<u32>> = examples
        .groups
        .iter()
        .map(|group| examples.queries.ids[group.query].clone())
        .collect();
    let queries = tower.encode(&texts)?;
    let dims = tower.dims();
    let threads = rayon::current_num_threads();
    let found = nearshelf_build::neighbours(&items, &queries, dims, rule.depth, seed, threads)?;
    let dot = |query: usize, item: usize| {
        let (query, item) = (
            &queries[query * dims..][..dims],
            &items[item * dims..][..dims],
        );
        nearshelf_index::dot_f32(query, item)
    };
    Ok(found
        .into_iter()
        .zip(&examples.groups)
        .enumerate()
        .map(|(number, (hits, group))| {
            let best = group.positives.iter().map(|&item| dot(number, item));
            let limit = best.fold(f32::NEG_INFINITY, f32::max) - rule.margin;
            let judged = |item: usize| group.items.iter().any(|(known, _)| *known == item);
            let mut items: Vec<usize> = hits
                .into_iter()
                .filter(|&(item, score)| score < limit && !judged(item))
                .map(|(item, _)| item)
                .collect();
            items.shuffle(&mut ChaCha8Rng::seed_from_u64(seed ^ number as u64));
            items.truncate(rule.count);
            items
        })
        .collect())
}
