//! The score of words: BM25F (Robertson, Zaragoza 2009, section 3.6), of which BM25 is the case of one field.
//!
//! ```text
//! x(t, d)     = Σ_f w_f · tf_f / (1 − b + b · len_f / avg_f)
//! share(t, d) = x / (k1 + x)
//! idf(t)      = ln(1 + (N − df + ½) / (df + ½))
//! score       = Σ_t idf(t) · share(t, d)
//! ```

use crate::postings::Counts;

/// Saturation: the larger, the more occurrences of a term count.
pub const K1: f32 = 1.2;
/// Share of the length, 0 to 1: the larger, the less a term counts in a long field. Titles are all short: 0.5 finds more than the usual 0.75 does on Icecat,
/// and as much on Home Depot.
pub const B: f32 = 0.5;
/// Lengths whose norms are kept.
const KEPT: usize = 256;

/// The weight of a term that `df` of `items` items hold.
pub fn idf(df: u32, items: u64) -> f32 {
    let (df, items) = (f64::from(df), items as f64);
    libm::log(1.0 + (items - df + 0.5).max(0.0) / (df + 0.5)) as f32
}

/// A field's part of the score.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FieldNorm {
    weight: f32,
    average: f32,
    /// w / (1 − b + b · len / avg) by length.
    kept: Vec<f32>,
}

impl FieldNorm {
    /// Of a field's weight, and of the tokens that all items have in it.
    pub fn new(weight: f32, tokens: u64, items: u64) -> Self {
        let average = (tokens as f64 / items.max(1) as f64) as f32;
        let mut norm = FieldNorm {
            weight,
            average: if average > 0.0 { average } else { 1.0 },
            kept: vec![],
        };
        norm.kept = (0..KEPT as u32)
            .map(|length| norm.compute(length))
            .collect();
        norm
    }

    fn compute(&self, length: u32) -> f32 {
        self.weight / (1.0 - B + B * (length as f32 / self.average))
    }

    /// The part of x that one occurrence adds in a field of this length.
    #[inline]
    fn of(&self, length: u32) -> f32 {
        match self.kept.get(length as usize) {
            Some(&norm) => norm,
            None => self.compute(length),
        }
    }
}

/// A field's length in tokens, by item: a byte each, or two.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lengths<'a> {
    Bytes(&'a [u8]),
    Words(&'a [[u8; 2]]),
}

impl<'a> Lengths<'a> {
    /// Of a section for so many items: its size says which of the two it is.
    pub fn new(bytes: &'a [u8], items: usize) -> Self {
        match bytes.len() == items {
            true => Lengths::Bytes(bytes),
            false => Lengths::Words(bytes.as_chunks().0),
        }
    }

    #[inline]
    fn of(&self, item: u32) -> u32 {
        match self {
            Lengths::Bytes(bytes) => bytes.get(item as usize).copied().unwrap_or_default().into(),
            Lengths::Words(words) => words
                .get(item as usize)
                .map_or(0, |&word| u16::from_le_bytes(word).into()),
        }
    }
}

/// The shares of postings in a shard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shares<'a> {
    pub norms: &'a [FieldNorm],
    pub lengths: &'a [Lengths<'a>],
}

impl Shares<'_> {
    /// share(t, d) of a posting.
    #[inline]
    pub fn of(&self, item: u32, counts: Counts<'_>) -> f32 {
        let x = match counts {
            Counts::Once => self.occurrence(0, item),
            Counts::Fields(_) => {
                let mut x = 0.0;
                counts.each(|field, count| x += count as f32 * self.occurrence(field, item));
                x
            }
        };
        x / (K1 + x)
    }

    #[inline]
    fn occurrence(&self, field: usize, item: u32) -> f32 {
        match (self.norms.get(field), self.lengths.get(field)) {
            (Some(norm), Some(lengths)) => norm.of(lengths.of(item)),
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_field_is_bm25() {
        // tf 3, 7 tokens of 5 on average: 3 / (3 + 1.2 · (0.5 + 0.5 · 7 / 5)).
        let norms = [FieldNorm::new(1.0, 500, 100)];
        let shares = Shares {
            norms: &norms,
            lengths: &[Lengths::Bytes(&[7])],
        };
        let share = shares.of(0, Counts::Fields(&[0x83]));
        assert!((share - 3.0 / (3.0 + 1.2 * 1.2)).abs() < 1e-6);
        assert!((idf(10, 100) - (1.0f32 + 90.5 / 10.5).ln()).abs() < 1e-6);
        assert!(idf(200, 100) >= 0.0);
    }

    #[test]
    fn long_fields_are_computed_as_short_ones_are() {
        let norm = FieldNorm::new(2.0, 40, 10);
        assert_eq!(norm.of(255), norm.compute(255));
        assert!(norm.of(300) < norm.of(255));
    }
}
