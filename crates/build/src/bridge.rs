//! Links between items that answer the same query.
//!
//! HNSW links an item to its own neighbours. Queries lie outside the items' cloud, so that the best
//! answers to one need not be neighbours of each other, and walks end before they have seen all of
//! them. As RoarGraph (Chen et al. 2024) does with training queries, the answers to fragments of the
//! items' texts are therefore linked with each other.

use std::collections::HashMap;
use std::sync::Arc;

use nearshelf_container::Storage;
use nearshelf_index::{All, DEGREE, Graph, NO_LINK, Pool, Query, Scratch, Shard};

/// Links of the HNSW graph that every node keeps, and those that it has where no query links it.
const KEPT: usize = 24;
const WITHOUT_QUERIES: usize = 32;
/// Answers to a query that are linked.
const ANSWERS: usize = 10;
/// Candidates kept while the answers are looked for.
const EF: usize = 300;

/// Links the answers of each query to the best one and to the next, and keeps for each node the links
/// that most queries ask for.
pub(crate) fn bridge<S: Storage>(
    graph: &mut Graph,
    shard: &Shard<S>,
    queries: &[Arc<Query>],
) -> nearshelf_index::Result<()> {
    let mut asked: Vec<HashMap<u16, u32>> = vec![HashMap::new(); graph.links.len()];
    let mut scratch = Scratch::default();
    for query in queries {
        let mut pool = Pool::new(EF);
        shard.walk(0, query, EF, &All, &mut pool, &mut scratch)?;
        let answers: Vec<u16> = pool
            .candidates()
            .iter()
            .take(ANSWERS)
            .map(|c| c.item as u16)
            .collect();
        for (i, &answer) in answers.iter().enumerate().skip(1) {
            for other in [answers[0], answers[i - 1]] {
                *asked[usize::from(answer)].entry(other).or_default() += 1;
                *asked[usize::from(other)].entry(answer).or_default() += 1;
            }
        }
    }
    for (links, asked) in graph.links.iter_mut().zip(asked) {
        let mut wanted: Vec<(u16, u32)> = asked
            .into_iter()
            .filter(|(node, _)| !links[..KEPT].contains(node))
            .collect();
        wanted.sort_unstable_by_key(|&(node, times)| (std::cmp::Reverse(times), node));
        wanted.truncate(DEGREE - KEPT);
        let kept = KEPT.max(WITHOUT_QUERIES.saturating_sub(wanted.len()));
        let own = links
            .iter()
            .take(kept)
            .take_while(|&&link| link != NO_LINK)
            .count();
        // A node may keep more of its own beyond those compared above; twice the same does no harm.
        links[own..].fill(NO_LINK);
        for (link, (node, _)) in links[own..].iter_mut().zip(wanted) {
            *link = node;
        }
    }
    Ok(())
}
