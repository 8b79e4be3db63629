//! instant-distance as it is used by itself: f32 vectors, its own search.

use std::time::Instant;

use anyhow::Result;
use instant_distance::{Builder, Hnsw, Point, Search};
use serde::{Deserialize, Serialize};

use super::curve::{Curve, EF, Point as Measured, recall};
use super::data::Data;

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
pub fn measure(data: &Data, ef_construction: usize) -> Result<(f64, Vec<Curve>)> {
    let points = rows(&data.vectors, data.dims);
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
    let mut curves: Vec<Curve> = data.sets.iter().map(|_| Curve::new()).collect();
    for ef in EF {
        let mut patched = postcard::to_stdvec(&(ef as u64))?;
        patched.extend_from_slice(rest);
        let hnsw: Hnsw<Vector> = postcard::from_bytes(&patched)?;
        for (set, curve) in data.sets.iter().zip(&mut curves) {
            let queries = rows(&set.queries, data.dims);
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
            curve.push(Measured {
                recall: recall(&found, &set.truth),
                queries_per_second: queries.len() as f64 / seconds,
            });
        }
    }
    Ok((seconds, curves))
}

fn rows(vectors: &[f32], dims: usize) -> Vec<Vector> {
    let rows = vectors.chunks_exact(dims);
    rows.map(|row| Vector(row.to_vec())).collect()
}
