//! instant-distance as it is used by itself: f32 vectors, its own search.

use std::time::Instant;

use anyhow::Result;
use instant_distance::{Builder, Hnsw, Point, Search};
use serde::{Deserialize, Serialize};

use crate::search::{Curve, EF, QuerySet, recall};

#[derive(Clone, Serialize, Deserialize)]
struct Vector(Vec<f32>);

impl Point for Vector {
    fn distance(&self, other: &Self) -> f32 {
        // Eight lanes, which compilers turn into vector code.
        let mut lanes = [0f32; 8];
        for (a, b) in self
            .0
            .as_chunks::<8>()
            .0
            .iter()
            .zip(other.0.as_chunks::<8>().0)
        {
            for i in 0..8 {
                lanes[i] += a[i] * b[i];
            }
        }
        1.0 - lanes.iter().sum::<f32>()
    }
}

/// Build seconds, and a curve for each query set.
pub fn measure(
    vectors: &[f32],
    dims: usize,
    ef_construction: usize,
    sets: &[QuerySet],
) -> Result<(f64, Vec<Curve>)> {
    let points: Vec<Vector> = vectors
        .chunks_exact(dims)
        .map(|v| Vector(v.to_vec()))
        .collect();
    let start = Instant::now();
    let (hnsw, placed) = Builder::default()
        .seed(0)
        .ef_construction(ef_construction)
        .build_hnsw(points);
    let seconds = start.elapsed().as_secs_f64();
    let mut item_of = vec![0u32; placed.len()];
    for (item, node) in placed.iter().enumerate() {
        item_of[node.into_inner() as usize] = item as u32;
    }
    // `ef_search` is fixed when the graph is built, and the first number of its serialized form.
    let bytes = postcard::to_stdvec(&hnsw)?;
    drop(hnsw);
    let (_, rest) = postcard::take_from_bytes::<u64>(&bytes)?;
    let mut curves: Vec<Curve> = sets.iter().map(|_| Curve::new()).collect();
    for ef in EF {
        let mut patched = postcard::to_stdvec(&(ef as u64))?;
        patched.extend_from_slice(rest);
        let hnsw: Hnsw<Vector> = postcard::from_bytes(&patched)?;
        for (set, curve) in sets.iter().zip(&mut curves) {
            let queries: Vec<Vector> = set
                .queries
                .chunks_exact(dims)
                .map(|q| Vector(q.to_vec()))
                .collect();
            let mut search = Search::default();
            let start = Instant::now();
            let found: Vec<Vec<u32>> = queries
                .iter()
                .map(|query| {
                    let hits = hnsw.search(query, &mut search).take(10);
                    hits.map(|hit| item_of[hit.pid.into_inner() as usize])
                        .collect()
                })
                .collect();
            let seconds = start.elapsed().as_secs_f64();
            curve.push((
                ef,
                recall(&found, &set.truth),
                queries.len() as f64 / seconds,
            ));
        }
    }
    Ok((seconds, curves))
}
