//! Nearest neighbours by the shelf's own index, without a shelf: for tools that mine them.

use nearshelf_index::{All, CodedVectors, MAX_ITEMS, Precision, Query, Scratch};

use crate::error::Result;
use crate::link::{EF_CONSTRUCTION, Linking, Vectors, link};
use crate::progress::NoProgress;
use crate::{order, parallel};

/// For each query the `k` nearest of the vectors and their cosines, the best first. `vectors` is
/// `[n][dims]`, `queries` `[m][dims]`, both of length 1. The same input gives the same result on every
/// number of threads.
///
/// # Errors
/// A graph that cannot be made.
pub fn neighbours(
    vectors: &[f32],
    queries: &[f32],
    dims: usize,
    k: usize,
    seed: u64,
    threads: usize,
) -> Result<Vec<Vec<(usize, f32)>>> {
    let row = |item: u32| &vectors[item as usize * dims..][..dims];
    let mut order: Vec<u32> = (0..(vectors.len() / dims) as u32).collect();
    order::bisect(&mut order, &row);
    let coded = order.chunks(MAX_ITEMS).map(|items| {
        let mut coded = CodedVectors::new(dims, Precision::FourFive);
        items.iter().for_each(|&item| coded.push(row(item)));
        coded
    });
    let coded = Vectors::new(coded.collect());
    let linking = Linking {
        ef_construction: EF_CONSTRUCTION,
        seed,
        threads,
        progress: &NoProgress,
    };
    let graph = link(&coded, &[], &linking)?;
    let slices = graph.slices(&coded);
    parallel::map(queries.len() / dims, threads, |number| {
        let query = &queries[number * dims..][..dims];
        let Some(coded_query) = Query::new(query) else {
            return Ok(vec![]);
        };
        let found = slices.walk(&coded_query, 2 * k, &All, &mut Scratch::default());
        let mut found: Vec<(usize, f32)> = found
            .best
            .iter()
            .map(|c| {
                let item = order[c.shard as usize * MAX_ITEMS + c.item as usize];
                (item as usize, nearshelf_index::dot_f32(query, row(item)))
            })
            .collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.truncate(k);
        Ok(found)
    })
}
