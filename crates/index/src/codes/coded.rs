//! Vectors as they are stored.

use super::planes::{pack, plane_bytes, unpack};
use super::precision::Precision;
use super::rotation::{BLOCK, padded, rotate, rotate_back, row_bytes};

/// One step of the codes, in standard deviations of a rotated unit vector's components, 1/√dims.
///
/// Found on titles and queries of MiniLM: finer steps order walks better and leave more to the outermost codes. From 0.37
/// to 0.43 final scores have the same recall.
pub(super) const STEP: f64 = 0.40;
/// The middle between the lowest and the highest code.
const MIDDLE: f32 = 8.0;

/// The codes of one vector: rows of the two sections.
#[derive(Debug, Clone, Copy)]
pub struct Codes<'a> {
    /// Coarse codes, for walks, `[padded / 2]`.
    pub coarse: &'a [u8],
    /// Residuals, `[padded · bits / 8]`.
    pub residuals: &'a [u8],
}

/// Codes of many vectors of the same dimensions, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodedVectors {
    dims: usize,
    precision: Precision,
    coarse: Vec<u8>,
    residuals: Vec<u8>,
}

impl CodedVectors {
    /// No vectors yet.
    pub fn new(dims: usize, precision: Precision) -> Self {
        CodedVectors {
            dims,
            precision,
            coarse: Vec::new(),
            residuals: Vec::new(),
        }
    }

    /// Codes a vector of about length 1 and adds it.
    ///
    /// Codes are the nearest, but for a few next to a rounding boundary, which are moved across it until
    /// ⟨x, decoded x⟩ = ⟨x, x⟩: products with coded vectors then have no bias, and rows need no scale of their own
    /// (Gao and Long 2024, RaBitQ, section 3.2, has the factor that this replaces).
    pub fn push(&mut self, vector: &[f32]) {
        debug_assert_eq!(vector.len(), self.dims);
        let step = (STEP / (padded(self.dims) as f64).sqrt()) as f32;
        let scaled: Vec<f32> = rotate(vector).iter().map(|x| x / step).collect();
        let codes = unbiased(&scaled);
        let (p, q) = self.precision.weights();
        let middle = (1 << (self.precision.residual_bits() - 1)) as f32;
        // A step of codes is 2 P units, one of residuals 2 Q.
        let (per_step, span) = (p as f32 / q as f32, 2.0 * middle * q as f32 / p as f32);
        for (codes, scaled) in codes
            .as_chunks::<BLOCK>()
            .0
            .iter()
            .zip(scaled.chunks(BLOCK))
        {
            let mut residuals = [0u8; BLOCK];
            for ((residual, code), x) in residuals.iter_mut().zip(codes).zip(scaled) {
                let rest = x - (f32::from(*code) + 0.5 - MIDDLE);
                let fine = match code {
                    0 => (rest + span) * per_step / 3.0,
                    15 => (rest - span) * per_step / 3.0,
                    _ => rest * per_step,
                };
                let fine = (fine + middle).floor();
                *residual = fine.clamp(0.0, 2.0 * middle - 1.0) as u8;
            }
            pack::<4, 0>(codes, &mut self.coarse);
            let to = &mut self.residuals;
            match self.precision {
                Precision::FourTwo => pack::<2, 0>(&residuals, to),
                Precision::FourThree => {
                    pack::<2, 0>(&residuals, to);
                    pack::<1, 2>(&residuals, to);
                }
                Precision::FourFour => pack::<4, 0>(&residuals, to),
                Precision::FourFive => {
                    pack::<4, 0>(&residuals, to);
                    pack::<1, 4>(&residuals, to);
                }
            }
        }
    }

    /// Adds a vector by its codes, which are of the same precision and dimensions.
    pub fn push_codes(&mut self, codes: Codes<'_>) {
        debug_assert_eq!(codes.coarse.len(), self.row());
        self.coarse.extend_from_slice(codes.coarse);
        self.residuals.extend_from_slice(codes.residuals);
    }

    /// The number of vectors.
    pub fn len(&self) -> usize {
        self.coarse.len() / self.row()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.coarse.is_empty()
    }

    /// Components of a vector, as it was before its rotation.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// The precision that they are stored with.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// The coarse codes of all vectors.
    pub fn coarse(&self) -> &[u8] {
        &self.coarse
    }

    /// The residuals of all vectors.
    pub fn residuals(&self) -> &[u8] {
        &self.residuals
    }

    /// The codes of vector `i`.
    ///
    /// # Panics
    /// There is no such vector.
    pub fn codes(&self, i: usize) -> Codes<'_> {
        let (row, rest) = (self.row(), residual_bytes(self.dims, self.precision));
        Codes {
            coarse: &self.coarse[i * row..(i + 1) * row],
            residuals: &self.residuals[i * rest..(i + 1) * rest],
        }
    }

    fn row(&self) -> usize {
        row_bytes(self.dims)
    }
}

/// Bytes of a vector's residuals.
pub(crate) const fn residual_bytes(dims: usize, precision: Precision) -> usize {
    padded(dims) / 8 * precision.residual_bits() as usize
}

impl Codes<'_> {
    /// Calls `each` with the components of each block, in units of the precision.
    #[inline(always)]
    pub(crate) fn blocks(self, precision: Precision, each: impl FnMut(usize, &[i16; BLOCK])) {
        match precision {
            Precision::FourTwo => self.blocks_of::<2, 4>(precision, each),
            Precision::FourThree => self.blocks_of::<3, 2>(precision, each),
            Precision::FourFour => self.blocks_of::<4, 1>(precision, each),
            Precision::FourFive => self.blocks_of::<5, 1>(precision, each),
        }
    }

    /// The same, for R bits of residual with a weight of Q.
    #[inline(always)]
    fn blocks_of<const R: u32, const Q: i16>(
        self,
        precision: Precision,
        mut each: impl FnMut(usize, &[i16; BLOCK]),
    ) {
        let p = precision.weights().0 as i16;
        let coarse = self.coarse.as_chunks::<{ BLOCK / 2 }>().0;
        let residuals = self.residuals.chunks_exact(plane_bytes(R));
        for (block, (coarse, rest)) in coarse.iter().zip(residuals).enumerate() {
            let mut codes = [0u8; BLOCK];
            let mut residuals = [0u8; BLOCK];
            unpack::<4, 0>(coarse, &mut codes);
            match R {
                2 => unpack::<2, 0>(rest, &mut residuals),
                3 => {
                    unpack::<2, 0>(&rest[..plane_bytes(2)], &mut residuals);
                    unpack::<1, 2>(&rest[plane_bytes(2)..], &mut residuals);
                }
                4 => unpack::<4, 0>(rest, &mut residuals),
                _ => {
                    unpack::<4, 0>(&rest[..plane_bytes(4)], &mut residuals);
                    unpack::<1, 4>(&rest[plane_bytes(4)..], &mut residuals);
                }
            }
            let mut values = [0i16; BLOCK];
            for ((value, &code), &residual) in values.iter_mut().zip(&codes).zip(&residuals) {
                let code = 2 * i16::from(code) - 15;
                let fine = Q * (2 * i16::from(residual) - ((1 << R) - 1));
                // ± 1 for the outermost codes, 0 for the others.
                let outermost = code / 15;
                let beyond = outermost * outermost * 2 * fine + outermost * (2 << R) * Q;
                *value = p * code + fine + beyond;
            }
            each(block, &values);
        }
    }

    /// The vector that the codes stand for, `[dims]`.
    pub fn decode(self, precision: Precision, dims: usize) -> Vec<f32> {
        let unit = unit(precision, dims) as f32;
        let mut rotated = Vec::with_capacity(padded(dims));
        self.blocks(precision, |_, values| {
            rotated.extend(values.iter().map(|&v| f32::from(v) * unit));
        });
        rotated.resize(padded(dims), 0.0);
        rotate_back(&rotated, dims)
    }
}

/// A component of 1, in units of the precision: u of [`Precision`].
pub(crate) fn unit(precision: Precision, dims: usize) -> f64 {
    let (p, _) = precision.weights();
    STEP / (padded(dims) as f64).sqrt() / f64::from(2 * p)
}

/// The nearest codes of components in steps, 0 … 15, without a bias of ⟨x, decoded x⟩.
fn unbiased(scaled: &[f32]) -> Vec<u8> {
    let code = |x: &f32| (x + MIDDLE).floor().clamp(0.0, 15.0) as u8;
    let mut codes: Vec<u8> = scaled.iter().map(code).collect();
    let decoded = |code: u8| f64::from(code) + 0.5 - f64::from(MIDDLE);
    let short: f64 = scaled
        .iter()
        .zip(&codes)
        .map(|(&x, &code)| f64::from(x) * (f64::from(x) - decoded(code)))
        .sum();
    // Codes go away from zero where the product is too small, towards it where it is too large.
    let away = short > 0.0;
    let mut moves: Vec<(f32, u32)> = Vec::with_capacity(scaled.len());
    for (i, (&x, &code)) in scaled.iter().zip(&codes).enumerate() {
        let up = (x > 0.0) == away;
        let above = x + MIDDLE - f32::from(code);
        let distance = if up { 1.0 - above } else { above };
        let inside = if up { code < 15 } else { code > 0 };
        if inside && (0.0..=0.5).contains(&distance) {
            moves.push((distance, i as u32));
        }
    }
    moves.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut short = short.abs();
    for (_, i) in moves {
        let (x, code) = (scaled[i as usize], &mut codes[i as usize]);
        let gain = f64::from(x.abs());
        if short < gain / 2.0 {
            break;
        }
        *code = if (x > 0.0) == away {
            *code + 1
        } else {
            *code - 1
        };
        short -= gain;
    }
    codes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codes::Query;
    use crate::dot_f32;

    /// A unit vector of normal components, some of them ten times as large as the others.
    fn unit_vector(dims: usize, seed: u64, outliers: usize) -> Vec<f32> {
        let mut state = seed.wrapping_mul(2).wrapping_add(1);
        let mut uniform = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1u64 << 24) as f32
        };
        let mut vector: Vec<f32> = (0..dims)
            .map(|i| {
                let normal = (0..12).map(|_| uniform()).sum::<f32>() - 6.0;
                if i < outliers { 10.0 * normal } else { normal }
            })
            .collect();
        let norm = dot_f32(&vector, &vector).sqrt();
        vector.iter_mut().for_each(|x| *x /= norm);
        vector
    }

    fn coded(vector: &[f32], precision: Precision) -> CodedVectors {
        let mut codes = CodedVectors::new(vector.len(), precision);
        codes.push(vector);
        codes
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_vector_comes_back_within_its_precision(
            seed in 1u64.., dims in prop::sample::select(vec![100usize, 384, 768, 1024]), outliers in 0usize..4
        ) {
            let vector = unit_vector(dims, seed, outliers);
            // Codes end at 3.2 standard deviations: what lies behind them is lost, whatever the precision.
            let step = (STEP / (padded(dims) as f64).sqrt()) as f32;
            let behind = |x: &f32| (x.abs() - MIDDLE * step).max(0.0).powi(2);
            let lost = rotate(&vector).iter().map(behind).sum::<f32>().sqrt();
            for (precision, largest) in Precision::ALL.into_iter().zip([0.08, 0.06, 0.05, 0.045]) {
                let largest = largest + lost;
                let codes = coded(&vector, precision);
                let back = codes.codes(0).decode(precision, dims);
                let off: f32 = vector.iter().zip(&back).map(|(x, y)| (x - y) * (x - y)).sum();
                prop_assert!(off.sqrt() < largest, "{precision}: {}", off.sqrt());
            }
        }

        #[test]
        fn scores_are_near_the_products(seed in 1u64.., outliers in 0usize..4) {
            let (a, b) = (unit_vector(384, seed, outliers), unit_vector(384, !seed, outliers));
            let exact = dot_f32(&a, &b);
            let query = Query::new(&a).unwrap();
            for (precision, largest) in Precision::ALL.into_iter().zip([0.012, 0.008, 0.006, 0.005]) {
                let codes = coded(&b, precision);
                let score = query.score(codes.codes(0), precision);
                prop_assert!((score - exact).abs() < largest, "{precision}: {score} for {exact}");
            }
        }

        #[test]
        fn coarse_codes_have_no_bias(seed in 1u64..) {
            let vector = unit_vector(384, seed, 0);
            let step = (STEP / 384f64.sqrt()) as f32;
            let scaled: Vec<f32> = rotate(&vector).iter().map(|x| x / step).collect();
            let codes = unbiased(&scaled);
            let product: f32 = scaled.iter().zip(&codes)
                .map(|(x, &c)| x * (f32::from(c) + 0.5 - MIDDLE)).sum();
            let squares = dot_f32(&scaled, &scaled);
            prop_assert!((product / squares - 1.0).abs() < 2e-3, "{}", product / squares);
        }
    }

    #[test]
    fn zeros_are_coded_and_scored() {
        let codes = coded(&[0.0; 24], Precision::FourFour);
        let query = Query::new(&unit_vector(24, 3, 0)).unwrap();
        assert!(query.score(codes.codes(0), Precision::FourFour).abs() < 0.1);
        let zero = Query::new(&[0.0; 24]).unwrap();
        assert_eq!(zero.score(codes.codes(0), Precision::FourFour), 0.0);
    }
}
