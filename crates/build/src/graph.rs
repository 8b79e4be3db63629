//! The HNSW graph of a shard, by instant-distance.

use instant_distance::{Builder, Point, PointId};
use nearshelf_index::kernel::{self, BIAS, DotCoarse};
use nearshelf_index::{DEGREE_UPPER, DEGREE_ZERO, Graph, QuantizedVector};
use serde::{Deserialize, Serialize, Serializer};
use serde_big_array::BigArray;

/// The graph of `vectors` and the order that it wants them in: node i is `vectors[order[i]]`.
///
/// The same vectors and seed give the same graph only where one thread inserts them, so this has a
/// pool of one thread to itself; shards run beside one another instead.
///
/// # Errors
/// The thread cannot be started.
pub fn build(
    vectors: &[&QuantizedVector],
    ef_construction: usize,
    seed: u64,
) -> Result<(Graph, Vec<u32>), rayon::ThreadPoolBuildError> {
    let dot = kernel::dot_coarse();
    let points: Vec<CodePoint> = vectors.iter().map(|v| CodePoint::new(v, dot)).collect();
    let thread = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let (hnsw, placed) = thread.install(|| {
        Builder::default()
            .ef_construction(ef_construction)
            .seed(seed)
            .build_hnsw(points)
    });

    let mut order = vec![0; vectors.len()];
    for (vector, node) in placed.into_iter().enumerate() {
        order[node.into_inner() as usize] = vector as u32;
    }
    // The links are private; its serialized form is the way to them.
    let bytes = postcard::to_stdvec(&hnsw).expect("a Vec takes any bytes");
    let mirror: Mirror = postcard::from_bytes(&bytes).expect("what was just written");
    let graph = Graph {
        zero: mirror.zero.iter().map(|links| narrow(&links.0)).collect(),
        upper: mirror
            .layers
            .iter()
            .rev()
            .map(|layer| layer.iter().map(narrow).collect())
            .collect(),
    };
    Ok((graph, order))
}

/// 16-bit links: `u32::MAX`, "no link", becomes `u16::MAX`, and shards hold fewer items than that.
fn narrow<const N: usize>(links: &[u32; N]) -> [u16; N] {
    links.map(|link| u16::try_from(link).unwrap_or(u16::MAX))
}

/// A vector by its coarse codes, as the walk will see it.
#[derive(Clone)]
struct CodePoint<'a> {
    codes: &'a [u8],
    /// The same codes without their offset.
    centred: Vec<i8>,
    /// What the other side's offset adds to a dot product with `centred`.
    offset: i32,
    step: f32,
    dot: DotCoarse,
}

impl<'a> CodePoint<'a> {
    fn new(vector: &'a QuantizedVector, dot: DotCoarse) -> Self {
        let centred: Vec<i8> = vector
            .codes
            .iter()
            .map(|&c| c.wrapping_sub(BIAS) as i8)
            .collect();
        let offset = centred
            .iter()
            .map(|&c| i32::from(c) * i32::from(BIAS))
            .sum();
        CodePoint {
            codes: &vector.codes,
            centred,
            offset,
            step: vector.step,
            dot,
        }
    }
}

impl Point for CodePoint<'_> {
    /// -⟨a, b⟩, up to a factor common to all pairs: one minus the cosine, as unit vectors order it.
    fn distance(&self, other: &Self) -> f32 {
        let dot = (self.dot)(other.codes, &self.centred) - self.offset;
        -(dot as f32 * (self.step * other.step))
    }
}

/// Serialized as nothing: the shard writes the vectors itself.
impl Serialize for CodePoint<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

/// `instant_distance::Hnsw` as it serializes (0.6.1).
#[derive(Deserialize)]
struct Mirror {
    _ef_search: u64,
    _points: Vec<()>,
    zero: Vec<ZeroNode>,
    layers: Vec<Vec<[u32; DEGREE_UPPER]>>,
}

#[derive(Deserialize)]
struct ZeroNode(#[serde(with = "BigArray")] [u32; DEGREE_ZERO]);

const _: () = assert!(size_of::<PointId>() == 4);
