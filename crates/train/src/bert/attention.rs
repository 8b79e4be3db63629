//! Attention of packed texts (Vaswani et al. 2017): softmax(Q · Kᵀ / √d) · V for each head, every text by
//! itself, no padding.

use rayon::prelude::*;

use crate::bert::gemm::{Into, Matrix, multiply_here};
use crate::bert::math::{softmax, softmax_backward};
use crate::bert::rows::by_text;

/// Layout of tokens, heads and texts in memory.
#[derive(Clone, Copy)]
pub(crate) struct Shape<'a> {
    pub hidden: usize,
    pub heads: usize,
    /// Tokens of each text.
    pub lengths: &'a [usize],
}

impl Shape<'_> {
    fn width(&self) -> usize {
        self.hidden / self.heads
    }

    fn scale(&self) -> f32 {
        1.0 / (self.width() as f32).sqrt()
    }

    /// Query (0), key (1) or value (2) of a head, of the rows `[length][3 · hidden]` of a text.
    fn part<'a>(&self, qkv: &'a [f32], length: usize, head: usize, part: usize) -> Matrix<'a> {
        let offset = part * self.hidden + head * self.width();
        Matrix::strided(&qkv[offset..], length, self.width(), 3 * self.hidden)
    }

    /// The same place in a gradient.
    fn part_mut<'a>(&self, qkv: &'a mut [f32], head: usize, part: usize) -> &'a mut [f32] {
        &mut qkv[part * self.hidden + head * self.width()..]
    }

    /// The probabilities of a head, `[length][length]`.
    fn probabilities(&self, qkv: &[f32], length: usize, head: usize, out: &mut [f32]) {
        let query = self.part(qkv, length, head, 0);
        let key = self.part(qkv, length, head, 1);
        multiply_here(query, key.t(), out, length, Into::Replace);
        for row in out.chunks_exact_mut(length) {
            softmax(row, self.scale());
        }
    }
}

/// `qkv` of `[tokens][3 · hidden]` to contexts of `[tokens][hidden]`.
pub(crate) fn forward(qkv: &[f32], shape: Shape<'_>) -> Vec<f32> {
    let hidden = shape.hidden;
    let mut contexts = vec![0f32; qkv.len() / 3];
    each_text(&mut contexts, hidden, shape, |context, start, length| {
        let qkv = &qkv[start * 3 * hidden..][..length * 3 * hidden];
        let mut p = vec![0f32; length * length];
        for head in 0..shape.heads {
            shape.probabilities(qkv, length, head, &mut p);
            let value = shape.part(qkv, length, head, 2);
            let out = &mut context[head * shape.width()..];
            multiply_here(
                Matrix::new(&p, length, length),
                value,
                out,
                hidden,
                Into::Replace,
            );
        }
    });
    contexts
}

/// The gradient of `qkv`, from that of the contexts. Probabilities are worked out again, which takes
/// less memory than to keep them.
pub(crate) fn backward(qkv: &[f32], dcontext: &[f32], shape: Shape<'_>) -> Vec<f32> {
    let hidden = shape.hidden;
    let stride = 3 * hidden;
    let mut gradients = vec![0f32; qkv.len()];
    each_text(&mut gradients, stride, shape, |gradient, start, length| {
        let qkv = &qkv[start * stride..][..length * stride];
        let dcontext = &dcontext[start * hidden..][..length * hidden];
        let mut p = vec![0f32; length * length];
        let mut dp = vec![0f32; length * length];
        for head in 0..shape.heads {
            shape.probabilities(qkv, length, head, &mut p);
            let [query, key, value] = [0, 1, 2].map(|part| shape.part(qkv, length, head, part));
            let dout = &dcontext[head * shape.width()..];
            let dout = Matrix::strided(dout, length, shape.width(), hidden);
            let square = |x| Matrix::new(x, length, length);
            let dvalue = shape.part_mut(gradient, head, 2);
            multiply_here(square(&p).t(), dout, dvalue, stride, Into::Replace);
            multiply_here(dout, value.t(), &mut dp, length, Into::Replace);
            for (p, dp) in p.chunks_exact(length).zip(dp.chunks_exact_mut(length)) {
                softmax_backward(p, dp, shape.scale());
            }
            let dquery = shape.part_mut(gradient, head, 0);
            multiply_here(square(&dp), key, dquery, stride, Into::Replace);
            let dkey = shape.part_mut(gradient, head, 1);
            multiply_here(square(&dp).t(), query, dkey, stride, Into::Replace);
        }
    });
    gradients
}

/// Calls `work` with each text's rows of `out` (`[tokens][width]`), its first token and its length.
fn each_text(
    out: &mut [f32],
    width: usize,
    shape: Shape<'_>,
    work: impl Fn(&mut [f32], usize, usize) + Sync,
) {
    let mut start = 0;
    let texts: Vec<(usize, usize)> = shape
        .lengths
        .iter()
        .map(|&length| {
            start += length;
            (start - length, length)
        })
        .collect();
    by_text(out, width, shape.lengths)
        .into_par_iter()
        .zip(texts)
        .for_each(|(rows, (start, length))| work(rows, start, length));
}
