//! Semantic shards: spherical k-means with a bound on the size of a cluster.

use nearshelf_index::dot_f32;
use rand::SeedableRng;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::error::Result;
use crate::vectors::VectorFile;

/// Vectors that the centroids are found on, for each cluster.
const SAMPLE_PER_SHARD: usize = 1024;
const ITERATIONS: usize = 12;
/// Room that the clusters have beyond the items, so that few items are pushed out of the nearest.
const SLACK: f64 = 1.05;

/// A catalog cut into clusters.
#[derive(Debug, Clone, PartialEq)]
pub struct Partition {
    /// Unit centroids, `[shards][dims]`.
    pub centroids: Vec<Vec<f32>>,
    /// The items of each shard, in rising order.
    pub members: Vec<Vec<u32>>,
}

/// Cuts unit vectors into clusters of at most `shard_size`.
///
/// The centroids come from spherical k-means on a sample; then the items choose, those with the
/// clearest preference first, the nearest cluster that has room. Sums are made in a fixed order, so
/// that the number of threads changes nothing.
///
/// # Errors
/// Vectors that cannot be read.
pub fn partition(vectors: &VectorFile, shard_size: usize, seed: u64) -> Result<Partition> {
    let n = vectors.len();
    let shards = match n.div_ceil(shard_size) {
        0 | 1 => 1,
        least => least.max((n as f64 * SLACK / shard_size as f64).ceil() as usize),
    };
    let centroids = centroids(vectors, shards, seed)?;
    let mut choices = Vec::with_capacity(n);
    for part in vectors.parts() {
        let (_, rows) = part?;
        let chosen = rows.par_chunks_exact(vectors.dims());
        choices.par_extend(chosen.map(|row| Choice::new(&centroids, row)));
    }
    let mut order: Vec<u32> = (0..n as u32).collect();
    let margin = |i: u32| choices[i as usize].margin;
    order.sort_by(|&a, &b| margin(b).total_cmp(&margin(a)).then(a.cmp(&b)));
    let mut members = vec![Vec::new(); centroids.len()];
    for item in order {
        let roomy = |cluster: &u32| members[*cluster as usize].len() < shard_size;
        let nearest = choices[item as usize].nearest.iter().copied();
        let cluster = match nearest.take_while(|&c| c != NONE).find(roomy) {
            Some(cluster) => Some(cluster),
            // All of those are full: the others, by another look.
            None => {
                let row = vectors.gather(&[item])?;
                let ranked = ranked(&centroids, &row).into_iter();
                ranked.map(|(cluster, _)| cluster as u32).find(roomy)
            }
        };
        // There are at least as many places as items.
        if let Some(cluster) = cluster {
            members[cluster as usize].push(item);
        }
    }
    for items in &mut members {
        items.sort_unstable();
    }
    let (centroids, members) = centroids
        .into_iter()
        .zip(members)
        .filter(|(_, items)| !items.is_empty())
        .unzip();
    Ok(Partition { centroids, members })
}

/// Clusters that an item chooses from before another look is needed.
const NEAREST: usize = 8;
/// Stands behind the last cluster.
const NONE: u32 = u32::MAX;

/// The clusters nearest to an item.
struct Choice {
    /// By so much the first is nearer than the second.
    margin: f32,
    nearest: [u32; NEAREST],
}

impl Choice {
    fn new(centroids: &[Vec<f32>], row: &[f32]) -> Self {
        let ranked = ranked(centroids, row);
        let margin = match ranked.as_slice() {
            [first, second, ..] => first.1 - second.1,
            _ => 0.0,
        };
        let mut nearest = [NONE; NEAREST];
        for (to, (cluster, _)) in nearest.iter_mut().zip(ranked) {
            *to = cluster as u32;
        }
        Choice { margin, nearest }
    }
}

/// Centroids of a sample, by spherical k-means.
fn centroids(vectors: &VectorFile, shards: usize, seed: u64) -> Result<Vec<Vec<f32>>> {
    let (n, dims) = (vectors.len(), vectors.dims());
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let sample = index::sample(&mut rng, n, n.min(shards * SAMPLE_PER_SHARD));
    let mut sample: Vec<u32> = sample.iter().map(|i| i as u32).collect();
    let first = vectors.gather(&sample[..shards.min(sample.len())])?;
    let mut centroids: Vec<Vec<f32>> = first.chunks_exact(dims).map(<[f32]>::to_vec).collect();
    // In the order of the file from here on; the first few, the start of the centroids, were random.
    sample.sort_unstable();
    let rows = vectors.gather(&sample)?;
    for _ in 0..ITERATIONS {
        let nearest: Vec<usize> = rows
            .par_chunks_exact(dims)
            .map(|row| ranked(&centroids, row)[0].0)
            .collect();
        let mut sums = vec![vec![0f64; dims]; centroids.len()];
        for (row, &cluster) in rows.chunks_exact(dims).zip(&nearest) {
            for (sum, x) in sums[cluster].iter_mut().zip(row) {
                *sum += f64::from(*x);
            }
        }
        for (centroid, sum) in centroids.iter_mut().zip(sums) {
            let norm = sum.iter().map(|x| x * x).sum::<f64>().sqrt();
            // A cluster that nothing is nearest to, or whose sum vanishes, stays where it is.
            if norm > 0.0 {
                *centroid = sum.iter().map(|x| (x / norm) as f32).collect();
            }
        }
    }
    Ok(centroids)
}

/// The clusters by similarity, nearest first.
fn ranked(centroids: &[Vec<f32>], vector: &[f32]) -> Vec<(usize, f32)> {
    let mut ranked: Vec<(usize, f32)> = centroids
        .iter()
        .map(|c| dot_f32(c, vector))
        .enumerate()
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    ranked
}
