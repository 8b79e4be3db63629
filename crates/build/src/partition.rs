//! Semantic shards: spherical k-means with a bound on the size of a cluster.

use nearshelf_index::dot_f32;
use rand::SeedableRng;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

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

/// Cuts unit vectors `[n][dims]` into clusters of at most `shard_size`.
///
/// The centroids come from spherical k-means on a sample; then the items choose, those with the
/// clearest preference first, the nearest cluster that has room. Sums are made in a fixed order, so
/// that the number of threads changes nothing.
pub fn partition(vectors: &[f32], dims: usize, shard_size: usize, seed: u64) -> Partition {
    let n = vectors.len() / dims;
    let row = |i: usize| &vectors[i * dims..(i + 1) * dims];
    let shards = match n.div_ceil(shard_size) {
        0 | 1 => 1,
        least => least.max((n as f64 * SLACK / shard_size as f64).ceil() as usize),
    };
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut sample = index::sample(&mut rng, n, n.min(shards * SAMPLE_PER_SHARD)).into_vec();
    let mut centroids: Vec<Vec<f32>> = sample
        .iter()
        .take(shards)
        .map(|&i| row(i).to_vec())
        .collect();
    // In the order of memory from here on; the first few, the start of the centroids, were random.
    sample.sort_unstable();
    for _ in 0..ITERATIONS {
        let nearest: Vec<usize> = sample
            .par_iter()
            .map(|&i| ranked(&centroids, row(i))[0].0)
            .collect();
        let mut sums = vec![vec![0f64; dims]; centroids.len()];
        for (&i, &cluster) in sample.iter().zip(&nearest) {
            for (sum, x) in sums[cluster].iter_mut().zip(row(i)) {
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

    let preferences: Vec<Vec<(usize, f32)>> = (0..n)
        .into_par_iter()
        .map(|i| ranked(&centroids, row(i)))
        .collect();
    let margin = |i: u32| match preferences[i as usize].as_slice() {
        [first, second, ..] => first.1 - second.1,
        _ => 0.0,
    };
    let mut order: Vec<u32> = (0..n as u32).collect();
    order.sort_by(|&a, &b| margin(b).total_cmp(&margin(a)).then(a.cmp(&b)));
    let mut members = vec![Vec::new(); centroids.len()];
    for item in order {
        let roomy = preferences[item as usize]
            .iter()
            .find(|(c, _)| members[*c].len() < shard_size);
        // There are at least as many places as items.
        if let Some(&(cluster, _)) = roomy {
            members[cluster].push(item);
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
    Partition { centroids, members }
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
