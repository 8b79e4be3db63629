//! The search defaults of a shelf, chosen from recall measured on it.

use nearshelf_catalog::{Catalog, Chance, Hit, ProbeRecall, SearchDefaults, SearchOptions, Target};
use nearshelf_container::Storage;
use nearshelf_encoder::Encoder;

use crate::error::Result;
use crate::fragments::{crossed, fragments};
use crate::options::BuildOptions;
use crate::parallel;

/// Queries of each of the two kinds.
const QUERIES: usize = 300;
const K: usize = 10;
/// Candidates that are tried.
const EF: [usize; 9] = [30, 40, 60, 80, 100, 150, 200, 300, 400];
/// Those that are tried one by one where none of the others reaches the recall.
const LARGER_EF: [usize; 3] = [600, 800, 1200];

/// Queries made of the catalog's texts, and the score that a right hit has at least. The first half asks for what is there,
/// the second for what is not: a setting has to hold for those that its graph was not made for as well.
struct Trial<'a, S> {
    catalog: &'a Catalog<S>,
    queries: Vec<Target>,
    /// A hit counts when it is as near as the tenth nearest item: items of one text are one answer.
    nearest: Vec<f32>,
    threads: usize,
}

/// A setting with its recall, and the comparisons that it took.
type Measured = (u64, ProbeRecall);

/// Searches with rising numbers of shards and candidates until recall@10 is `options.recall`; takes the setting with the
/// fewest comparisons of those that reach it, or else the best.
pub(crate) fn choose<S: Storage + Sync>(
    catalog: &Catalog<S>,
    encoder: &Encoder,
    texts: &[String],
    options: &BuildOptions,
    threads: usize,
) -> Result<SearchDefaults> {
    let trial = Trial::new(catalog, encoder, texts, options.seed, threads)?;
    let shards = catalog.manifest().shards.len();
    let mut probes: Vec<usize> = vec![1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256];
    probes.retain(|&probe| probe < shards);
    probes.push(shards);
    let mut measured = Vec::new();
    let reaches = |(_, entry): &Measured| f64::from(entry.recall) >= options.recall;
    for ef in EF.into_iter().chain(LARGER_EF) {
        if LARGER_EF.contains(&ef) && measured.iter().any(reaches) {
            break;
        }
        for &probe in &probes {
            let entry = trial.measure(probe, ef)?;
            measured.push(entry);
            if reaches(&entry) {
                break;
            }
        }
    }
    measured.sort_by_key(|(cost, entry)| (*cost, entry.probe, entry.ef));
    let chosen = cheapest(&measured, options.recall).unwrap_or(ProbeRecall {
        probe: shards as u32,
        ef: EF[EF.len() - 1] as u32,
        recall: 0.0,
    });
    Ok(SearchDefaults {
        probe: chosen.probe,
        ef: chosen.ef,
        measured: curve(&measured),
        chance: Chance::default(),
    })
}

impl<'a, S: Storage + Sync> Trial<'a, S> {
    fn new(
        catalog: &'a Catalog<S>,
        encoder: &Encoder,
        texts: &[String],
        seed: u64,
        threads: usize,
    ) -> Result<Self> {
        let fragments = fragments(texts, QUERIES, seed).into_iter();
        let mut asked: Vec<String> = fragments.map(|(_, text)| text).collect();
        asked.extend(crossed(texts, QUERIES, seed));
        let queries = encoder.encode_batch(&asked, threads, &|_| ())?;
        let queries: Vec<Target> = queries.into_iter().map(|q| q.vector.into()).collect();
        let nearest = parallel::map(queries.len(), threads, |i| {
            let options = SearchOptions {
                k: K,
                ..Default::default()
            };
            let exact = catalog.search_exact(&queries[i], &options)?;
            Ok::<_, nearshelf_catalog::Error>(exact.hits.last().map_or(0.0, |hit| hit.score))
        })?;
        Ok(Trial {
            catalog,
            queries,
            nearest,
            threads,
        })
    }

    fn measure(&self, probe: usize, ef: usize) -> Result<Measured> {
        let options = SearchOptions {
            k: K,
            probe: Some(probe),
            ef: Some(ef),
            ..Default::default()
        };
        let found = parallel::map(self.queries.len(), self.threads, |i| {
            let found = self.catalog.search(&self.queries[i], &options)?;
            let is_right = |hit: &&Hit<'_, S>| hit.score >= self.nearest[i];
            let right = found.hits.iter().filter(is_right).count();
            Ok::<_, nearshelf_catalog::Error>((right, found.stats.distances))
        })?;
        let wanted = QUERIES * K.min(self.catalog.len());
        let right = |kind: &[(usize, u64)]| kind.iter().map(|(right, _)| right).sum::<usize>();
        let right = found.chunks(QUERIES).map(right).min().unwrap_or(0);
        let cost = found.iter().map(|(_, distances)| distances).sum();
        let entry = ProbeRecall {
            probe: probe as u32,
            ef: ef as u32,
            recall: (right as f64 / wanted as f64) as f32,
        };
        Ok((cost, entry))
    }
}

/// The first that reaches the target, or the best that there is. `measured` rises in cost.
fn cheapest(measured: &[Measured], recall: f64) -> Option<ProbeRecall> {
    let best = measured.iter().map(|(_, e)| e.recall).fold(0f32, f32::max);
    let mut entries = measured.iter().map(|(_, entry)| *entry);
    entries.find(|entry| entry.recall >= best.min(recall as f32))
}

/// Settings of which each costs more and finds more than the one before.
fn curve(measured: &[Measured]) -> Vec<ProbeRecall> {
    let mut highest = 0f32;
    let mut better = |entry: &ProbeRecall| {
        let better = entry.recall > highest;
        highest = highest.max(entry.recall);
        better
    };
    let entries = measured.iter().map(|(_, entry)| *entry);
    entries.filter(|entry| better(entry)).collect()
}
