//! Nearest neighbours by the shelf's own index, without a shelf: for tools that mine them.

use nearshelf_index::codes::{QuantizedVector, SevenFour};
use nearshelf_index::{All, MAX_ITEMS, Pool, Query, Scratch, Shard, ShardBuilder};

use crate::error::{Error, Result};
use crate::{graph, parallel};

/// Candidates kept while a node is linked.
const EF_CONSTRUCTION: usize = 100;

/// For each query the `k` nearest of the vectors and their cosines, the best first. `vectors` is
/// `[n][dims]`, `queries` `[m][dims]`, both of length 1. The same input gives the same result on every
/// number of threads.
///
/// # Errors
/// A shard that cannot be made.
pub fn neighbours(
    vectors: &[f32],
    queries: &[f32],
    dims: usize,
    k: usize,
    seed: u64,
    threads: usize,
) -> Result<Vec<Vec<(usize, f32)>>> {
    let parts: Vec<&[f32]> = vectors.chunks(MAX_ITEMS * dims).collect();
    let shards = parallel::map(parts.len(), threads, |number| {
        let rows: Vec<&[f32]> = parts[number].chunks_exact(dims).collect();
        let codes: Vec<QuantizedVector> = rows.iter().map(|r| QuantizedVector::new(r)).collect();
        let (graph, order) = graph::build(&codes, &rows, EF_CONSTRUCTION, seed)?;
        let mut slots: Vec<Option<QuantizedVector>> = codes.into_iter().map(Some).collect();
        let placed: Vec<QuantizedVector> = order
            .iter()
            .filter_map(|&i| slots[i as usize].take())
            .collect();
        let error = |source| Error::Shard {
            shard: number,
            source,
        };
        let bytes = ShardBuilder::new::<SevenFour>(dims, &placed, &graph)
            .map_err(error)?
            .to_bytes();
        Ok::<_, Error>((Shard::open(bytes).map_err(error)?, order))
    })?;
    let count = queries.len() / dims;
    parallel::map(count, threads, |number| {
        let Some(query) = Query::new(&queries[number * dims..][..dims]) else {
            return Ok(vec![]);
        };
        let mut pool = Pool::new(k);
        let mut scratch = Scratch::default();
        let error = |shard: usize| {
            move |absent: nearshelf_index::Absent| Error::Shard {
                shard,
                source: absent.into(),
            }
        };
        for (number, (shard, _)) in shards.iter().enumerate() {
            shard
                .walk(number as u32, &query, 2 * k, &All, &mut pool, &mut scratch)
                .map_err(error(number))?;
        }
        let mut found = Vec::with_capacity(k);
        for candidate in pool.candidates() {
            let (shard, order) = &shards[candidate.shard as usize];
            let item = order[candidate.item as usize] as usize;
            let score = shard
                .score(&query, candidate.item as usize)
                .map_err(error(candidate.shard as usize))?;
            let place = candidate.shard as usize * MAX_ITEMS + item;
            found.push((place, score.unwrap_or(candidate.score)));
        }
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        Ok(found)
    })
}
