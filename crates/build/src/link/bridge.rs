//! Links between items that answer the same query.
//!
//! A graph of neighbours links an item to those near it. Queries lie outside the items' cloud, so that the best
//! answers to one need not be neighbours of each other, and walks end before they have seen all of
//! them. As RoarGraph (Chen et al. 2024) does with training queries, the answers to fragments of the
//! items' texts are therefore linked with each other.

use std::collections::BTreeMap;

use nearshelf_index::codes::Codes;
use nearshelf_index::{All, MAX_LINKS, Query, Scratch, Slices, kernel};

use super::linking::Linking;
use super::lists::Lists;
use super::vectors::{Coded, Vectors};
use crate::error::Result;
use crate::parallel;

/// Links that queries may add to an item.
const ASKED: usize = 24;
/// Answers to a query that are linked.
pub(super) const ANSWERS: usize = 10;
/// Candidates kept while the answers are looked for.
pub(super) const EF: usize = 200;
/// Queries that a thread answers at a time.
const BLOCK: usize = 256;

/// A query of the catalog's own words.
pub struct Asked {
    /// The query.
    pub query: Query,
    /// The number of the item that the words are of.
    pub source: u32,
}

/// Links the answers of each query to the best one and to the next: adds to each item those that most queries ask for.
pub fn bridge(
    mut lists: Lists,
    vectors: &Vectors,
    slices: &Slices<'_>,
    queries: &[Asked],
    linking: &Linking<'_>,
) -> Result<Lists> {
    let answers = each(queries, linking, |asked, scratch| {
        answers(vectors, slices, asked, scratch)
    })?;
    let mut asked: BTreeMap<u32, BTreeMap<u32, u32>> = BTreeMap::new();
    for answers in &answers {
        for (i, &answer) in answers.iter().enumerate().skip(1) {
            for other in [answers[0], answers[i - 1]] {
                *asked.entry(answer).or_default().entry(other).or_default() += 1;
                *asked.entry(other).or_default().entry(answer).or_default() += 1;
            }
        }
    }
    lists.change(|item, links| {
        let asked = asked.get(&item)?.iter();
        let mut wanted: Vec<(u32, u32)> = asked.map(|(&other, &times)| (other, times)).collect();
        wanted.sort_unstable_by_key(|&(other, times)| (std::cmp::Reverse(times), other));
        Some(with_asked(
            links,
            wanted.into_iter().map(|(other, _)| other),
        ))
    });
    Ok(lists)
}

/// Asks every query, many side by side; the results in their order.
pub(super) fn each<T: Send>(
    queries: &[Asked],
    linking: &Linking<'_>,
    ask: impl Fn(&Asked, &mut Scratch) -> T + Sync,
) -> Result<Vec<T>> {
    linking
        .progress
        .stage("linking answers", queries.len() as u64);
    let blocks: Vec<&[Asked]> = queries.chunks(BLOCK).collect();
    let asked = parallel::map(blocks.len(), linking.threads, |block| {
        let mut scratch = Scratch::default();
        let ask = |asked: &Asked| ask(asked, &mut scratch);
        Ok::<_, crate::Error>(blocks[block].iter().map(ask).collect::<Vec<T>>())
    })?;
    Ok(asked.into_iter().flatten().collect())
}

/// An item's links and, behind them, those that queries ask for: as many as there is room for.
pub(super) fn with_asked(links: &[u32], wanted: impl Iterator<Item = u32>) -> Vec<u32> {
    let wanted = wanted.filter(|link| !links.contains(link));
    let wanted = wanted.take(ASKED.min(MAX_LINKS - links.len()));
    links.iter().copied().chain(wanted).collect()
}

/// The score of an item by its coarse codes.
pub(super) fn score(query: &Query, codes: Codes<'_>) -> i32 {
    let mut score = [0];
    kernel::dot_rows()(&[codes.coarse], query.coarse(), &mut score);
    score[0]
}

/// The best answers to a query, best first. An item that its own words do not find lies where no walk comes by: it is put
/// in its place among the answers, and so linked with them.
fn answers(
    vectors: &Vectors,
    slices: &Slices<'_>,
    asked: &Asked,
    scratch: &mut Scratch,
) -> Vec<u32> {
    let Asked { query, source } = asked;
    let found = slices.walk(query, EF, &All, scratch);
    let best = found.best.iter().take(ANSWERS);
    let mut answers: Vec<(i32, u32)> = best.map(|c| (c.score, slices.number(c))).collect();
    if let Some(codes) = vectors.codes(*source)
        && !answers.iter().any(|(_, number)| number == source)
    {
        let score = score(query, codes);
        let at = answers.partition_point(|&(other, _)| other >= score);
        answers.insert(at, (score, *source));
        answers.truncate(ANSWERS);
    }
    answers.into_iter().map(|(_, number)| number).collect()
}
