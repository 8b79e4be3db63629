//! Seven bits a component for walks, four more for final scores.
//!
//! | section | holds | layout |
//! | --- | --- | --- |
//! | `STEP` | fine step of each vector | `f32 [items]` |
//! | `CODE` | coarse codes, 1 … 127, padding 64 | `u8 [items][stride]` |
//! | `RESI` | residuals, two a byte, even component in the low half | `u8 [items][stride / 2]` |
//!
//! A component is x ≈ step · (16 · (code − 64) + residual − 8).

use std::ops::Range;

use nearshelf_container::{Absent, Error, FileWriter, Head, Kind, Result, Storage};

use super::layout::{CodedQuery, Codes, Rows};
use crate::kernel::{self, BIAS, DotRows};

const STEPS: Kind = Kind::new(b"STEP");
const CODES: Kind = Kind::new(b"CODE");
const RESIDUALS: Kind = Kind::new(b"RESI");

/// Fine steps in one coarse step.
const FINE_PER_COARSE: i32 = 16;
/// The largest fine code: 63 coarse steps.
const FINE_MAX: f32 = 63.0 * FINE_PER_COARSE as f32;

/// Bytes of the coarse codes of a vector: its dimensions, rounded up to a cache line.
pub const fn stride(dims: usize) -> usize {
    dims.next_multiple_of(64)
}

/// A vector in this layout. `code` has seven bits, with an offset of 64, so that no target's u8 × i8
/// multiply-add can saturate; `residual` has four.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantizedVector {
    /// Coarse codes in 1 … 127, `[stride]`, padded with 64 (zero).
    pub codes: Vec<u8>,
    /// Residuals, two a byte, the even component in the low half, `[stride / 2]`, padded with 8 (zero).
    pub residuals: Vec<u8>,
    /// The fine step.
    pub step: f32,
}

impl QuantizedVector {
    /// Quantizes a vector of finite components.
    pub fn new(vector: &[f32]) -> Self {
        let stride = stride(vector.len());
        let largest = vector.iter().fold(0f32, |max, x| max.max(x.abs()));
        let step = largest / FINE_MAX;
        let mut codes = vec![BIAS; stride];
        let mut residuals = vec![0x88; stride / 2];
        if step > 0.0 {
            for (i, x) in vector.iter().enumerate() {
                let fine = (x / step).round().clamp(-FINE_MAX, FINE_MAX) as i32;
                let coarse = (fine + FINE_PER_COARSE / 2).div_euclid(FINE_PER_COARSE);
                let residual = (fine + FINE_PER_COARSE / 2).rem_euclid(FINE_PER_COARSE) as u8;
                codes[i] = (coarse + i32::from(BIAS)) as u8;
                let byte = &mut residuals[i / 2];
                *byte = match i % 2 {
                    0 => *byte & 0xf0 | residual,
                    _ => *byte & 0x0f | residual << 4,
                };
            }
        }
        QuantizedVector {
            codes,
            residuals,
            step,
        }
    }
}

/// A query vector in this layout.
#[derive(Debug, Clone)]
pub struct PreparedQuery {
    dims: usize,
    /// Signed 8-bit codes for the walk, padded with zeros to the stride.
    coarse: Vec<i8>,
    /// The codes' offset as it enters every dot product.
    offset: i32,
    /// A cosine of 1 as a score by coarse codes.
    unit: f32,
    /// Signed 16-bit codes for the final scores, padded with zeros to the stride.
    fine: Vec<i16>,
    /// Step of the fine codes.
    step: f64,
}

impl CodedQuery for PreparedQuery {
    fn dims(&self) -> usize {
        self.dims
    }

    fn unit(&self) -> f32 {
        self.unit
    }
}

/// A stored vector as one side of a comparison with another.
#[derive(Debug, Clone)]
pub struct Operand<'a> {
    codes: &'a [u8],
    /// The same codes without their offset.
    centred: Vec<i8>,
    /// The other side's offset as it enters a dot product with `centred`.
    offset: i32,
    step: f32,
    dot: DotRows,
}

/// The sections of this layout in a shard.
#[derive(Debug)]
pub struct SevenFour {
    items: usize,
    dims: usize,
    stride: usize,
    codes: Range<usize>,
    steps: Range<usize>,
    residuals: Range<usize>,
}

/// Coarse codes, residuals and step of an item.
type Coded<'a> = (&'a [u8], &'a [u8], f32);

impl SevenFour {
    /// Where the sections end that walks read whole.
    pub(crate) fn walked_end(&self) -> usize {
        self.codes.end.max(self.steps.end)
    }

    /// Where row `item` of a section with rows of `width` bytes lies.
    fn row(&self, section: &Range<usize>, width: usize, item: usize) -> Range<usize> {
        let start = section.start + item * width;
        start..start + width
    }

    /// Coarse codes, residuals and step of an item.
    fn vector<'a, S: Storage>(
        &self,
        storage: &'a S,
        item: usize,
    ) -> Result<Option<Coded<'a>>, Absent> {
        if item >= self.items {
            return Ok(None);
        }
        let codes = storage.read(self.row(&self.codes, self.stride, item))?;
        let residuals = storage.read(self.row(&self.residuals, self.stride / 2, item))?;
        let step = storage.read(self.row(&self.steps, 4, item))?;
        let step = step.first_chunk().copied().unwrap_or_default();
        Ok(Some((codes, residuals, f32::from_le_bytes(step))))
    }
}

impl Codes for SevenFour {
    const ID: u32 = 1;
    const NAME: &'static str = "7 + 4 bits";
    type Vector = QuantizedVector;
    type Query = PreparedQuery;
    type Operand<'a> = Operand<'a>;
    type Rows<'a> = CoarseRows<'a>;

    fn encode(vector: &[f32]) -> QuantizedVector {
        QuantizedVector::new(vector)
    }

    fn prepare(vector: &[f32]) -> Option<PreparedQuery> {
        if !vector.iter().all(|x| x.is_finite()) {
            return None;
        }
        let largest = vector.iter().fold(0f32, |max, x| max.max(x.abs()));
        let stride = stride(vector.len());
        let mut query = PreparedQuery {
            dims: vector.len(),
            coarse: vec![0; stride],
            offset: 0,
            unit: 127.0 / (FINE_PER_COARSE as f32 * largest),
            fine: vec![0; stride],
            step: f64::from(largest) / 32767.0,
        };
        if largest > 0.0 {
            let largest = f64::from(largest);
            for (i, &x) in vector.iter().enumerate() {
                let unit = f64::from(x) / largest;
                query.coarse[i] = (unit * 127.0).round() as i8;
                query.fine[i] = (unit * 32767.0).round() as i16;
                query.offset += i32::from(query.coarse[i]) * i32::from(BIAS);
            }
        }
        Some(query)
    }

    fn operand(vector: &QuantizedVector) -> Operand<'_> {
        let centre = |&code: &u8| code.wrapping_sub(BIAS) as i8;
        let centred: Vec<i8> = vector.codes.iter().map(centre).collect();
        let offset = centred
            .iter()
            .map(|&c| i32::from(c) * i32::from(BIAS))
            .sum();
        Operand {
            codes: &vector.codes,
            centred,
            offset,
            step: vector.step,
            dot: kernel::dot_rows(),
        }
    }

    fn pair(a: &Operand<'_>, b: &Operand<'_>) -> f32 {
        let mut dot = [0];
        (a.dot)(b.codes, &[0], &a.centred, &mut dot);
        (dot[0] - a.offset) as f32 * (a.step * b.step)
    }

    fn write(dims: usize, vectors: &[QuantizedVector], file: &mut FileWriter) -> Result<()> {
        let stride = stride(dims);
        let mut codes = Vec::with_capacity(vectors.len() * stride);
        let mut residuals = Vec::with_capacity(vectors.len() * stride / 2);
        let mut steps = Vec::with_capacity(vectors.len() * 4);
        for (i, vector) in vectors.iter().enumerate() {
            if vector.codes.len() != stride || vector.residuals.len() != stride / 2 {
                return Err(Error::value(
                    format!("vector {i}"),
                    format!("{stride} codes"),
                    vector.codes.len(),
                ));
            }
            codes.extend_from_slice(&vector.codes);
            residuals.extend_from_slice(&vector.residuals);
            steps.extend_from_slice(&vector.step.to_le_bytes());
        }
        file.push(STEPS, 0, steps);
        file.push(CODES, 0, codes);
        file.push(RESIDUALS, 0, residuals);
        Ok(())
    }

    fn open(head: &Head, items: usize, dims: usize) -> Result<Self> {
        let stride = stride(dims);
        let sized = |kind, each: usize| head.sized(kind, 0, items as u64 * each as u64);
        Ok(SevenFour {
            items,
            dims,
            stride,
            codes: sized(CODES, stride)?,
            residuals: sized(RESIDUALS, stride / 2)?,
            steps: sized(STEPS, 4)?,
        })
    }

    fn rows<'a, S: Storage>(&self, storage: &'a S) -> Result<CoarseRows<'a>, Absent> {
        Ok(CoarseRows {
            codes: storage.read(self.codes.clone())?,
            steps: storage.read(self.steps.clone())?.as_chunks().0,
            dot_rows: kernel::dot_rows(),
        })
    }

    fn score<S: Storage>(
        &self,
        storage: &S,
        query: &PreparedQuery,
        item: usize,
    ) -> Result<Option<f32>, Absent> {
        let Some((codes, residuals, step)) = self.vector(storage, item)? else {
            return Ok(None);
        };
        let sum = kernel::dot_fine(codes, residuals, &query.fine);
        let score = (sum as f64 * (query.step * f64::from(step))) as f32;
        // Only damage makes a score that is not a number; it must not come before those that are.
        Ok(Some(if score.is_nan() {
            f32::NEG_INFINITY
        } else {
            score
        }))
    }

    fn decode<S: Storage>(&self, storage: &S, item: usize) -> Result<Option<Vec<f32>>, Absent> {
        let Some((codes, residuals, step)) = self.vector(storage, item)? else {
            return Ok(None);
        };
        let component = |i: usize| {
            let residual = residuals[i / 2] >> (i % 2 * 4) & 15;
            let coarse = FINE_PER_COARSE * (i32::from(codes[i]) - i32::from(BIAS));
            step * (coarse + i32::from(residual) - FINE_PER_COARSE / 2) as f32
        };
        Ok(Some((0..self.dims).map(component).collect()))
    }
}

/// The coarse codes of all items, which walks compare.
#[derive(Debug, Clone, Copy)]
pub struct CoarseRows<'a> {
    codes: &'a [u8],
    /// Steps as little-endian f32.
    steps: &'a [[u8; 4]],
    dot_rows: DotRows,
}

impl Rows for CoarseRows<'_> {
    type Query = PreparedQuery;

    #[inline]
    fn score(
        &self,
        query: &PreparedQuery,
        items: &[u16],
        dots: &mut [i32],
        mut found: impl FnMut(u16, f32),
    ) {
        // Read after the dot products, by when they are here.
        for &item in items {
            if let Some(step) = self.steps.get(usize::from(item)) {
                kernel::prefetch(step);
            }
        }
        (self.dot_rows)(self.codes, items, &query.coarse, dots);
        for (&item, &dot) in items.iter().zip(dots.iter()) {
            let Some(&step) = self.steps.get(usize::from(item)) else {
                continue;
            };
            let score = dot.wrapping_sub(query.offset) as f32 * f32::from_le_bytes(step);
            // A step that is not a number can only come from damage; it must not top the order.
            found(
                item,
                if score.is_nan() {
                    f32::NEG_INFINITY
                } else {
                    score
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use nearshelf_container::FileKind;
    use proptest::prelude::*;

    use super::*;

    /// A file of one vector.
    fn stored(vector: &[f32]) -> (SevenFour, Vec<u8>) {
        let mut file = FileWriter::new(FileKind::Shard, vec![]);
        SevenFour::write(vector.len(), &[SevenFour::encode(vector)], &mut file).unwrap();
        let bytes = file.to_bytes();
        let head = Head::read(FileKind::Shard, &bytes).unwrap();
        (SevenFour::open(&head, 1, vector.len()).unwrap(), bytes)
    }

    fn score(query: &[f32], item: &[f32]) -> f32 {
        let (codes, bytes) = stored(item);
        let query = SevenFour::prepare(query).unwrap();
        codes.score(&bytes, &query, 0).unwrap().unwrap()
    }

    proptest! {
        #[test]
        fn a_component_comes_back_within_half_a_fine_step(
            vector in prop::collection::vec(-1f32..1f32, 1..200)
        ) {
            let quantized = QuantizedVector::new(&vector);
            let (codes, bytes) = stored(&vector);
            let decoded = codes.decode(&bytes, 0).unwrap().unwrap();
            prop_assert_eq!(decoded.len(), vector.len());
            for (i, (x, y)) in vector.iter().zip(decoded).enumerate() {
                let error = (y - x).abs();
                prop_assert!(error <= quantized.step * 0.5001, "component {i}: {error}");
            }
            prop_assert!(quantized.codes.iter().all(|&c| (1..=127).contains(&c)));
        }

        #[test]
        fn the_final_score_is_near_the_dot_product(
            pair in prop::collection::vec((-1f32..1f32, -1f32..1f32), 1..500)
        ) {
            let (a, b): (Vec<f32>, Vec<f32>) = pair.into_iter().unzip();
            let norm = |v: &[f32]| v.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-6);
            let (na, nb) = (norm(&a), norm(&b));
            let a: Vec<f32> = a.iter().map(|x| x / na).collect();
            let b: Vec<f32> = b.iter().map(|x| x / nb).collect();
            let exact: f64 = a.iter().zip(&b).map(|(a, b)| f64::from(a * b)).sum();
            // A component is off by half a step at most, a step is at most 1/1008 of the largest.
            prop_assert!((f64::from(score(&a, &b)) - exact).abs() < 1e-3 + 1e-6);
            let [x, y] = [&a, &b].map(|v| SevenFour::encode(v));
            let (x, y) = (SevenFour::operand(&x), SevenFour::operand(&y));
            // Coarse steps are 16 times as long, and the fine ones of both sides were left out.
            let by_pair = f64::from(SevenFour::pair(&x, &y)) * 256.0;
            prop_assert!((by_pair - exact).abs() < 0.05, "{by_pair} and {exact}");
            prop_assert_eq!(SevenFour::pair(&x, &y), SevenFour::pair(&y, &x));
        }
    }

    #[test]
    fn zeros_and_non_finite_numbers() {
        assert_eq!(QuantizedVector::new(&[0.0; 5]).step, 0.0);
        assert_eq!(score(&[0.0; 5], &[0.5, -0.5, 0.1, 0.0, 0.2]), 0.0);
        assert!(SevenFour::prepare(&[0.0, f32::NAN]).is_none());
        assert!(SevenFour::prepare(&[f32::INFINITY]).is_none());
    }

    #[test]
    fn there_is_nothing_past_the_last_item() {
        let (codes, bytes) = stored(&[0.6, 0.8]);
        let query = SevenFour::prepare(&[1.0, 0.0]).unwrap();
        assert_eq!(codes.score(&bytes, &query, 1), Ok(None));
        assert_eq!(codes.decode(&bytes, usize::MAX), Ok(None));
    }
}
