//! Masks of false negatives.

use candle_core::{Result, Tensor};

/// Which elements of `[rows][columns]` are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    rows: usize,
    columns: usize,
    kept: Vec<bool>,
}

impl Mask {
    /// Keeps all.
    pub fn all(rows: usize, columns: usize) -> Self {
        Mask {
            rows,
            columns,
            kept: vec![true; rows * columns],
        }
    }

    /// Keeps those for which `kept(row, column)`.
    pub fn new(rows: usize, columns: usize, kept: impl Fn(usize, usize) -> bool) -> Self {
        let at = |i: usize| kept(i / columns, i % columns);
        Mask {
            rows,
            columns,
            kept: (0..rows * columns).map(at).collect(),
        }
    }

    /// Whether an element is kept.
    pub fn keeps(&self, row: usize, column: usize) -> bool {
        self.kept[row * self.columns + column]
    }

    /// Leaves an element out.
    pub fn leave_out(&mut self, row: usize, column: usize) {
        self.kept[row * self.columns + column] = false;
    }

    /// Keeps an element.
    pub fn keep(&mut self, row: usize, column: usize) {
        self.kept[row * self.columns + column] = true;
    }

    /// Number of those kept.
    pub fn count(&self) -> usize {
        self.kept.iter().filter(|&&kept| kept).count()
    }

    pub(super) fn to_tensor(&self, like: &Tensor, kept: f32, other: f32) -> Result<Tensor> {
        let values: Vec<f32> = self
            .kept
            .iter()
            .map(|&k| if k { kept } else { other })
            .collect();
        Tensor::from_vec(values, (self.rows, self.columns), like.device())
    }
}

/// Negatives that may well be positives (ROAR, arXiv 2606.01504, stage 1): an item of the batch is not
/// punished where it scores above the query's positive less `margin`, or is nearly the positive itself.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FalseNegatives {
    /// An item j is left out where S_ij > S_ip - margin.
    pub margin: f32,
    /// An item j is left out where the cosine of items j and p is above this.
    pub duplicate: f32,
}

impl FalseNegatives {
    /// Leaves them out of `mask`. `similarities` is `[queries][items]`, `items` the cosines of the items
    /// among each other, `[items][items]`; `positives` has each query's positive.
    pub fn leave_out(
        &self,
        similarities: &[Vec<f32>],
        items: &[Vec<f32>],
        positives: &[usize],
        mask: &mut Mask,
    ) {
        for (query, (row, &positive)) in similarities.iter().zip(positives).enumerate() {
            for (item, &similarity) in row.iter().enumerate() {
                let near = similarity > row[positive] - self.margin;
                if item != positive && (near || items[item][positive] > self.duplicate) {
                    mask.leave_out(query, item);
                }
            }
        }
    }
}
