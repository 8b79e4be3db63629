//! The graph of a shard: HNSW by instant-distance, its nodes put in the order of their places.

use instant_distance::{Builder, Point};
use nearshelf_index::codes::{Codes, QuantizedVector, SevenFour};
use nearshelf_index::{DEGREE, Graph, NO_LINK, dot_f32};
use serde::{Deserialize, Serialize, Serializer};
use serde_big_array::BigArray;

/// Nodes that walks start from, in a shard large enough to have them.
const ENTRIES: usize = 128;
/// Links of a node in instant-distance's lowest layer.
const THEIR_DEGREE: usize = 64;
/// Items in the last parts of the bisection that orders nodes: their codes fill a page or so.
const LEAF: usize = 16;

/// Links the vectors (`vectors[i]` as codes, `rows[i]` in f32) and says which goes where: node i is
/// `vectors[order[i]]`.
///
/// The same vectors and seed give the same graph only where one thread inserts them, so this has a
/// pool of one thread to itself; shards run beside one another instead.
///
/// # Errors
/// The thread cannot be started.
pub fn build(
    vectors: &[QuantizedVector],
    rows: &[&[f32]],
    ef_construction: usize,
    seed: u64,
) -> Result<(Graph, Vec<u32>), rayon::ThreadPoolBuildError> {
    let point = |vector| CodePoint(SevenFour::operand(vector));
    let points: Vec<CodePoint> = vectors.iter().map(point).collect();
    let thread = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let (hnsw, placed) = thread.install(|| {
        Builder::default()
            .ef_construction(ef_construction)
            .seed(seed)
            .build_hnsw(points)
    });
    // The links are private; its serialized form is the way to them.
    let bytes = postcard::to_stdvec(&hnsw).expect("a Vec takes any bytes");
    drop(hnsw);
    let mirror: Mirror = postcard::from_bytes(&bytes).expect("what was just written");
    drop(bytes);

    // instant-distance shuffles: `placed[vector]` is its node, `node_of[its node]` is ours.
    let (order, entries) = placement(rows);
    let mut node_of = vec![0u16; order.len()];
    for (ours, &vector) in order.iter().enumerate() {
        node_of[placed[vector as usize].into_inner() as usize] = ours as u16;
    }
    let links = order
        .iter()
        .map(|&vector| {
            let theirs = &mirror.zero[placed[vector as usize].into_inner() as usize].0;
            let mut ours = [NO_LINK; DEGREE];
            // Theirs are more: first those that lead in different directions, then the nearest of the
            // rest, which are left out. `u32::MAX`, their "no link", is past the end.
            for (ours, &theirs) in ours.iter_mut().zip(theirs) {
                *ours = node_of.get(theirs as usize).copied().unwrap_or(NO_LINK);
            }
            ours
        })
        .collect();
    Ok((Graph { links, entries }, order))
}

/// The order of the nodes in the file, and how many of the first are entries.
///
/// Nodes near one another in space are near one another in memory, which makes a walk's steps
/// cheaper; the entries, one from each stretch of that order, stand in front.
fn placement(rows: &[&[f32]]) -> (Vec<u32>, usize) {
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    bisect(&mut order, rows);
    let entries = ENTRIES.min(order.len());
    let middle = |entry: usize| (2 * entry + 1) * order.len() / (2 * entries.max(1));
    let picked: Vec<usize> = (0..entries).map(middle).collect();
    let mut is_entry = vec![false; order.len()];
    for &at in &picked {
        is_entry[at] = true;
    }
    let first = picked.iter().map(|&at| order[at]);
    let rest = order
        .iter()
        .zip(&is_entry)
        .filter(|(_, picked)| !**picked)
        .map(|(&i, _)| i);
    (first.chain(rest).collect(), entries)
}

/// Orders items by halving them along the line between two means, again and again.
fn bisect(items: &mut [u32], rows: &[&[f32]]) {
    const ITERATIONS: usize = 6;
    const SAMPLE: usize = 512;
    if items.len() <= LEAF {
        return;
    }
    let row = |item: u32| rows[item as usize];
    let mut means = [row(items[0]).to_vec(), row(items[items.len() / 2]).to_vec()];
    for _ in 0..ITERATIONS {
        let mut sums = [vec![0f32; means[0].len()], vec![0f32; means[0].len()]];
        for &item in items.iter().step_by(items.len().div_ceil(SAMPLE)) {
            let x = row(item);
            let nearer = usize::from(dot_f32(x, &means[1]) > dot_f32(x, &means[0]));
            for (sum, x) in sums[nearer].iter_mut().zip(x) {
                *sum += x;
            }
        }
        for (mean, sum) in means.iter_mut().zip(sums) {
            let norm = dot_f32(&sum, &sum).sqrt();
            if norm > 0.0 {
                *mean = sum.iter().map(|x| x / norm).collect();
            }
        }
    }
    let [a, b] = &means;
    let line: Vec<f32> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let mut placed: Vec<(f32, u32)> = items
        .iter()
        .map(|&item| (dot_f32(row(item), &line), item))
        .collect();
    placed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    for (item, (_, placed)) in items.iter_mut().zip(placed) {
        *item = placed;
    }
    let (left, right) = items.split_at_mut(items.len() / 2);
    bisect(left, rows);
    bisect(right, rows);
}

/// A vector by its coarse codes, as the walk will see it.
#[derive(Clone)]
struct CodePoint<'a>(<SevenFour as Codes>::Operand<'a>);

impl Point for CodePoint<'_> {
    /// -⟨a, b⟩: one minus the cosine of unit vectors, less the one, up to the codes' scale.
    fn distance(&self, other: &Self) -> f32 {
        -SevenFour::pair(&self.0, &other.0)
    }
}

/// Serialized as nothing: the shard writes the vectors itself.
impl Serialize for CodePoint<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

/// `instant_distance::Hnsw` as it serializes (0.6.1); what follows the lowest layer is left unread.
#[derive(Deserialize)]
struct Mirror {
    _ef_search: u64,
    _points: Vec<()>,
    zero: Vec<ZeroNode>,
}

#[derive(Deserialize)]
struct ZeroNode(#[serde(with = "BigArray")] [u32; THEIR_DEGREE]);
