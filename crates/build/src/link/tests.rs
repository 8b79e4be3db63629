//! Graphs over vectors that are not as one would wish them.

use std::collections::BTreeSet;

use nearshelf_index::{All, CodedVectors, Precision, Query, Scratch, Slices, dot_f32};

use super::*;
use crate::NoProgress;
use crate::order::bisect;

const DIMS: usize = 32;
const EF: usize = 100;

/// A unit vector near `middle`, from a stream.
fn near(middle: &[f32], spread: f32, state: &mut u64) -> Vec<f32> {
    let mut number = || {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    let vector: Vec<f32> = middle.iter().map(|x| x + spread * number()).collect();
    let norm = dot_f32(&vector, &vector).sqrt();
    vector.iter().map(|x| x / norm).collect()
}

fn random(count: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut state = seed;
    (0..count)
        .map(|_| near(&[0.0; DIMS], 1.0, &mut state))
        .collect()
}

/// The graph of these vectors, in shards of so many.
fn graph(rows: &[Vec<f32>], shard_size: usize, threads: usize) -> (Vectors, Frozen) {
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    bisect(&mut order, &|item| rows[item as usize].as_slice());
    let shards = order.chunks(shard_size).map(|items| {
        let mut coded = CodedVectors::new(DIMS, Precision::FourFour);
        items.iter().for_each(|&i| coded.push(&rows[i as usize]));
        coded
    });
    let vectors = Vectors::new(shards.collect());
    let linking = Linking {
        ef_construction: EF_CONSTRUCTION,
        seed: 1,
        threads,
        progress: &NoProgress,
    };
    let asked: Vec<Asked> = random(50, 5)
        .iter()
        .filter_map(|row| Query::new(row))
        .map(|query| Asked { query, source: 0 })
        .collect();
    let graph = link(&vectors, &asked, &linking).unwrap();
    (vectors, graph)
}

/// Items that no walk can come to from the entries.
fn unreachable(vectors: &Vectors, slices: &Slices<'_>) -> usize {
    let mut seen = BTreeSet::new();
    let mut next: Vec<u32> = Vec::new();
    for (shard, slice) in slices.iter() {
        next.extend(slice.entries().map(|item| vectors.number(shard, item)));
    }
    while let Some(number) = next.pop() {
        if seen.insert(number) {
            let (shard, item) = vectors.numbering().place(number).unwrap();
            let (_, slice) = slices.iter().nth(shard).unwrap();
            next.extend(slice.links.numbers(item as usize));
        }
    }
    vectors.len() - seen.len()
}

/// recall@10 by the scores of coarse codes: of equal items, each is as good as another.
fn recall(slices: &Slices<'_>, queries: &[Vec<f32>]) -> f64 {
    let mut scratch = Scratch::default();
    let (mut right, mut wanted) = (0, 0);
    for query in queries {
        let query = Query::new(query).unwrap();
        let exact = slices.scan(&query, 10, &All, &mut scratch).best;
        let found = slices.walk(&query, EF, &All, &mut scratch).best;
        let least = exact.last().unwrap().score;
        let good = found.iter().take(10).filter(|c| c.score >= least);
        right += good.count();
        wanted += exact.len();
    }
    right as f64 / wanted as f64
}

fn check(rows: &[Vec<f32>], shard_size: usize) {
    check_with(rows, shard_size, random(40, 9));
}

fn check_with(rows: &[Vec<f32>], shard_size: usize, mut queries: Vec<Vec<f32>>) {
    let (vectors, graph) = graph(rows, shard_size, 2);
    let slices = graph.slices(&vectors);
    assert_eq!(unreachable(&vectors, &slices), 0, "{} items", rows.len());
    queries.extend(rows.iter().step_by(rows.len().div_ceil(40)).cloned());
    let recall = recall(&slices, &queries);
    assert!(recall > 0.97, "{} items: recall {recall}", rows.len());
}

#[test]
fn one_two_and_some_items() {
    for count in [1, 2, 3, 128, 1025] {
        check(&random(count, 3), 1000);
    }
}

#[test]
fn several_runs_and_shards_are_one_graph() {
    check(&random(15_000, 3), 14_000);
}

#[test]
fn equal_vectors_and_zeros() {
    check(&vec![random(1, 3).remove(0); 3000], 2000);
    check(&vec![vec![0.0; DIMS]; 1500], 1000);
}

#[test]
fn one_vector_ten_thousand_times_among_others() {
    let mut rows = random(3000, 3);
    rows.extend(vec![rows[17].clone(); 10_000]);
    check(&rows, 9000);
}

#[test]
fn two_clusters_far_from_each_other() {
    let mut state = 11;
    let middle = random(1, 3).remove(0);
    let other: Vec<f32> = middle.iter().map(|x| -x).collect();
    let rows: Vec<Vec<f32>> = (0..4000)
        .map(|i| near(if i % 2 == 0 { &middle } else { &other }, 0.15, &mut state))
        .collect();
    // A query beside both is as near to all items of one as can be told: those of shoppers lie nearer.
    let queries = (0..40)
        .map(|i| near(if i % 2 == 0 { &middle } else { &other }, 0.3, &mut state))
        .collect();
    check_with(&rows, 1500, queries);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let rows = random(5000, 21);
    let links = |threads| {
        let (_, graph) = graph(&rows, 1700, threads);
        graph.links().to_vec()
    };
    assert_eq!(links(1), links(3));
}
