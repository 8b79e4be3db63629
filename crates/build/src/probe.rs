//! The search defaults of a shelf, chosen from recall measured on it.

use nearshelf_catalog::{Catalog, ProbeRecall, SearchDefaults, SearchOptions, Target};
use nearshelf_container::Storage;
use nearshelf_encoder::Encoder;

use crate::error::Result;
use crate::fragments::fragments;
use crate::parallel;

/// Recall@10 that the defaults have to reach. Above the 0.98 that is promised: the queries here are
/// made of the catalog's own words, those of shoppers are not.
const TARGET: f64 = 0.99;
const QUERIES: usize = 400;
const K: usize = 10;
const EF: [usize; 6] = [100, 120, 150, 200, 300, 400];

/// Searches with rising numbers of shards and candidates until recall is what it should be; takes the
/// setting with the fewest comparisons of those that reach it, or else the best.
pub(crate) fn choose<S: Storage + Sync>(
    catalog: &Catalog<S>,
    encoder: &Encoder,
    texts: &[String],
    seed: u64,
    threads: usize,
) -> Result<SearchDefaults> {
    let shards = catalog.manifest().shards.len();
    let queries = encoder.encode_batch(&fragments(texts, QUERIES, seed), threads, &|_| ())?;
    let queries: Vec<Target> = queries.into_iter().map(|q| q.vector.into()).collect();
    // A hit counts when it is as near as the tenth nearest item: items of one text are one answer.
    let nearest: Vec<f32> = parallel::map(queries.len(), threads, |i| {
        let exact = catalog.search_exact(&queries[i], K)?;
        Ok::<_, nearshelf_catalog::Error>(exact.hits.last().map_or(0.0, |hit| hit.score))
    })?;

    let mut probes: Vec<usize> = vec![1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256];
    probes.retain(|&probe| probe < shards);
    probes.push(shards);
    let measure = |probe: usize, ef: usize| {
        let found = parallel::map(queries.len(), threads, |i| {
            let options = SearchOptions {
                k: K,
                probe: Some(probe),
                ef: Some(ef),
            };
            let found = catalog.search(&queries[i], &options)?;
            let right = found
                .hits
                .iter()
                .filter(|hit| hit.score >= nearest[i])
                .count();
            Ok::<_, nearshelf_catalog::Error>((right, found.stats.distances))
        })?;
        let wanted = queries.len() * K.min(catalog.len());
        let right: usize = found.iter().map(|(right, _)| right).sum();
        let cost: u64 = found.iter().map(|(_, distances)| distances).sum();
        Ok::<_, nearshelf_catalog::Error>((right as f64 / wanted as f64, cost))
    };

    let mut measured: Vec<(u64, ProbeRecall)> = Vec::new();
    for ef in EF {
        for &probe in &probes {
            let (recall, cost) = measure(probe, ef)?;
            let entry = ProbeRecall {
                probe: probe as u32,
                ef: ef as u32,
                recall: recall as f32,
            };
            measured.push((cost, entry));
            if recall >= TARGET {
                break;
            }
        }
    }
    measured.sort_by_key(|(cost, entry)| (*cost, entry.probe, entry.ef));
    let best = measured.iter().map(|(_, e)| e.recall).fold(0f32, f32::max);
    let chosen = measured
        .iter()
        .map(|(_, entry)| *entry)
        .find(|entry| entry.recall >= best.min(TARGET as f32));
    // The grid is never empty.
    let chosen = chosen.unwrap_or(ProbeRecall {
        probe: shards as u32,
        ef: 400,
        recall: 0.0,
    });
    // What costs more than another and finds less tells nothing.
    let mut highest = 0f32;
    let curve = measured
        .into_iter()
        .map(|(_, entry)| entry)
        .filter(|entry| {
            let better = entry.recall > highest;
            highest = highest.max(entry.recall);
            better
        });
    Ok(SearchDefaults {
        probe: chosen.probe,
        ef: chosen.ef,
        measured: curve.collect(),
    })
}
