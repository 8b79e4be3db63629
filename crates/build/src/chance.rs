//! Cosines that are chance: those that queries for what the catalog does not have reach.
//!
//! A shelf answers every query with its nearest items. Queries for other things than it sells say from which cosine on that
//! means something. Some of them may name what this very shelf has: so half of them, and the least of the shelf's own
//! queries, bound the cut-off.

use nearshelf_catalog::{Catalog, Chance, SearchOptions, Target};
use nearshelf_container::Storage;
use nearshelf_encoder::Encoder;

use crate::error::Result;
use crate::fragments::fragments;
use crate::parallel;

/// Queries of many trades, one a line.
const FOREIGN: &str = include_str!("foreign.txt");
/// The shelf's own queries, made of its items' texts.
const OWN: usize = 200;
/// The share of foreign queries whose best hit is below the cut-off, and the most of the own ones.
const FOREIGN_BELOW: f64 = 0.5;
const OWN_BELOW: f64 = 0.05;
/// Items that a query is compared with, to know the cosine of any.
const SAMPLE: usize = 1000;

/// Measures chance on a finished catalog.
pub(crate) fn measure<S: Storage + Sync>(
    catalog: &Catalog<S>,
    encoder: &Encoder,
    texts: &[String],
    seed: u64,
    threads: usize,
) -> Result<Chance> {
    let foreign: Vec<String> = FOREIGN.lines().map(str::to_owned).collect();
    let own = fragments(texts, OWN, seed.wrapping_add(1)).into_iter();
    let own: Vec<String> = own.map(|(_, text)| text).collect();
    let foreign = vectors(encoder, &foreign, threads)?;
    let own = vectors(encoder, &own, threads)?;
    let best = |queries: &[Vec<f32>]| -> Result<Vec<f32>> {
        let mut best = parallel::map(queries.len(), threads, |i| {
            let options = SearchOptions {
                k: 1,
                ..SearchOptions::default()
            };
            let found = catalog.search(&Target::from(queries[i].clone()), &options)?;
            Ok::<_, nearshelf_catalog::Error>(found.hits.first().map_or(0.0, |hit| hit.score))
        })?;
        best.sort_unstable_by(f32::total_cmp);
        Ok(best)
    };
    let below = |sorted: &[f32], share: f64| {
        let place = (sorted.len() as f64 * share) as usize;
        sorted.get(place).copied().unwrap_or_default()
    };
    let cutoff = below(&best(&foreign)?, FOREIGN_BELOW).min(below(&best(&own)?, OWN_BELOW));
    Ok(Chance {
        any: mean(catalog, &foreign)?,
        best: cutoff,
    })
}

fn vectors(encoder: &Encoder, texts: &[String], threads: usize) -> Result<Vec<Vec<f32>>> {
    let encoded = encoder.encode_batch(texts, threads, &|_| ())?;
    Ok(encoded.into_iter().map(|encoded| encoded.vector).collect())
}

/// The mean cosine of queries and items, of which some are taken.
fn mean<S: Storage>(catalog: &Catalog<S>, queries: &[Vec<f32>]) -> Result<f32> {
    let shards = &catalog.manifest().shards;
    let step = catalog.len().div_ceil(SAMPLE).max(1);
    let places = (0u32..).zip(shards).flat_map(|(number, shard)| {
        (0..shard.items)
            .step_by(step)
            .map(move |item| (number, item))
    });
    let mut sums = vec![0f64; catalog.manifest().dims as usize];
    let mut count = 0usize;
    for (shard, item) in places {
        for (sum, x) in sums
            .iter_mut()
            .zip(catalog.vector(shard, item)?.unwrap_or_default())
        {
            *sum += f64::from(x);
        }
        count += 1;
    }
    let dot = |query: &Vec<f32>| -> f64 {
        query
            .iter()
            .zip(&sums)
            .map(|(&x, sum)| f64::from(x) * sum)
            .sum()
    };
    let total: f64 = queries.iter().map(dot).sum();
    Ok((total / (count * queries.len()).max(1) as f64) as f32)
}
