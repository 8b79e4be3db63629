//! One encoder layer as one operation of candle's, forward and backward, on the CPU.
//!
//! candle's own operations would do it (see `composed`), but most of them run on one thread, and each passes
//! through memory once.

use std::sync::Mutex;

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use crate::bert::attention;
use crate::bert::gemm::{Into, Matrix, multiply};
use crate::bert::math::{gelu, gelu_backward};
use crate::bert::norm;
use crate::bert::params::{LayerParams, host, slice_of};
use crate::bert::rows::{add_bias, sum};
use crate::bert::shape::Sizes;
use rayon::prelude::*;

/// Elements that a thread takes at a time where there are no rows to mind.
const CHUNK: usize = 1 << 14;

/// `layer(x, parameters)`: x of `[tokens, hidden]`, the parameters as [`LayerParams`] has them.
pub(crate) struct Layer {
    sizes: Sizes,
    lengths: Vec<usize>,
    /// Whether there will be a backward pass.
    training: bool,
    saved: Mutex<Option<Saved>>,
}

/// Values of the forward pass that the backward one needs.
struct Saved {
    qkv: Vec<f32>,
    context: Vec<f32>,
    attention_norm: norm::Saved,
    /// The layer's middle: what comes out of the first norm.
    middle: Vec<f32>,
    /// Before GELU, `[tokens][inner]`.
    inner: Vec<f32>,
    output_norm: norm::Saved,
}

impl Layer {
    pub fn new(sizes: Sizes, lengths: Vec<usize>, training: bool) -> Self {
        Layer {
            sizes,
            lengths,
            training,
            saved: Mutex::new(None),
        }
    }

    fn attention(&self) -> attention::Shape<'_> {
        attention::Shape {
            hidden: self.sizes.hidden,
            heads: self.sizes.heads,
            lengths: &self.lengths,
        }
    }

    fn forward(&self, x: &[f32], p: &LayerParams<&[f32]>) -> (Vec<f32>, Saved) {
        let Sizes {
            hidden, inner, eps, ..
        } = self.sizes;
        let qkv = linear(x, p.qkv_weight, p.qkv_bias);
        let context = attention::forward(&qkv, self.attention());
        let mut middle = linear_onto(x, &context, p.out_weight, p.out_bias);
        let attention_norm = norm::forward(&mut middle, p.norm1_weight, p.norm1_bias, eps);
        let before = linear(&middle, p.in_weight, p.in_bias);
        debug_assert_eq!(before.len() / inner, x.len() / hidden);
        let after = activated(&before);
        let mut y = linear_onto(&middle, &after, p.down_weight, p.down_bias);
        let output_norm = norm::forward(&mut y, p.norm2_weight, p.norm2_bias, eps);
        let saved = Saved {
            qkv,
            context,
            attention_norm,
            middle,
            inner: before,
            output_norm,
        };
        (y, saved)
    }

    fn backward(
        &self,
        x: &[f32],
        p: &LayerParams<&[f32]>,
        saved: Saved,
        mut dy: Vec<f32>,
    ) -> (Vec<f32>, Vec<f32>) {
        let mut gradients = vec![0f32; self.sizes.layer_parameters()];
        let g = LayerParams::of(self.sizes, &mut gradients[..]);

        let (weight, bias) = norm::backward(&saved.output_norm, p.norm2_weight, &mut dy);
        g.norm2_weight.copy_from_slice(&weight);
        g.norm2_bias.copy_from_slice(&bias);
        let after = activated(&saved.inner);
        linear_gradients(&after, &dy, g.down_weight, g.down_bias);
        drop(after);
        let mut dinner = input_gradient(&dy, p.down_weight, self.sizes.inner);
        dinner
            .par_chunks_mut(CHUNK)
            .zip(saved.inner.par_chunks(CHUNK))
            .for_each(|(dy, x)| gelu_backward(x, dy));
        linear_gradients(&saved.middle, &dinner, g.in_weight, g.in_bias);
        let mut dmiddle = dy;
        add_input_gradient(&dinner, p.in_weight, &mut dmiddle, self.sizes.hidden);
        drop(dinner);

        let (weight, bias) = norm::backward(&saved.attention_norm, p.norm1_weight, &mut dmiddle);
        g.norm1_weight.copy_from_slice(&weight);
        g.norm1_bias.copy_from_slice(&bias);
        linear_gradients(&saved.context, &dmiddle, g.out_weight, g.out_bias);
        let dcontext = input_gradient(&dmiddle, p.out_weight, self.sizes.hidden);
        let dqkv = attention::backward(&saved.qkv, &dcontext, self.attention());
        linear_gradients(x, &dqkv, g.qkv_weight, g.qkv_bias);
        let mut dx = dmiddle;
        add_input_gradient(&dqkv, p.qkv_weight, &mut dx, self.sizes.hidden);
        (dx, gradients)
    }
}

/// x · Wᵀ + b, for W of `[out][in]`.
fn linear(x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let out = bias.len();
    let inputs = weight.len() / out;
    let mut y = vec![0f32; x.len() / inputs * out];
    let rows = x.len() / inputs;
    let x = Matrix::new(x, rows, inputs);
    multiply(
        x,
        Matrix::new(weight, out, inputs).t(),
        &mut y,
        out,
        Into::Replace,
    );
    add_bias(&mut y, bias);
    y
}

/// residual + x · Wᵀ + b
fn linear_onto(residual: &[f32], x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let out = bias.len();
    let inputs = weight.len() / out;
    let mut y = residual.to_vec();
    let x = Matrix::new(x, x.len() / inputs, inputs);
    multiply(
        x,
        Matrix::new(weight, out, inputs).t(),
        &mut y,
        out,
        Into::Add,
    );
    add_bias(&mut y, bias);
    y
}

/// Into the gradients of weight and bias: dyᵀ · x and Σ dy.
fn linear_gradients(x: &[f32], dy: &[f32], weight: &mut [f32], bias: &mut [f32]) {
    let out = bias.len();
    let inputs = weight.len() / out;
    let rows = dy.len() / out;
    let transposed = Matrix::new(dy, rows, out).t();
    multiply(
        transposed,
        Matrix::new(x, rows, inputs),
        weight,
        inputs,
        Into::Replace,
    );
    bias.copy_from_slice(&sum(dy, out));
}

/// dy · W
fn input_gradient(dy: &[f32], weight: &[f32], inputs: usize) -> Vec<f32> {
    let out = weight.len() / inputs;
    let mut dx = vec![0f32; dy.len() / out * inputs];
    let dy = Matrix::new(dy, dy.len() / out, out);
    multiply(
        dy,
        Matrix::new(weight, out, inputs),
        &mut dx,
        inputs,
        Into::Replace,
    );
    dx
}

/// dx += dy · W
fn add_input_gradient(dy: &[f32], weight: &[f32], dx: &mut [f32], inputs: usize) {
    let out = weight.len() / inputs;
    let dy = Matrix::new(dy, dy.len() / out, out);
    multiply(dy, Matrix::new(weight, out, inputs), dx, inputs, Into::Add);
}

fn activated(x: &[f32]) -> Vec<f32> {
    let mut y = vec![0f32; x.len()];
    y.par_chunks_mut(CHUNK)
        .zip(x.par_chunks(CHUNK))
        .for_each(|(y, x)| gelu(x, y));
    y
}

impl CustomOp2 for Layer {
    fn name(&self) -> &'static str {
        "encoder-layer"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        parameters: &CpuStorage,
        parameters_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let x = slice_of(x, x_layout)?;
        let parameters = slice_of(parameters, parameters_layout)?;
        let (y, saved) = self.forward(x, &LayerParams::of(self.sizes, parameters));
        if self.training {
            *self.saved.lock().unwrap_or_else(|e| e.into_inner()) = Some(saved);
        }
        let shape = Shape::from((y.len() / self.sizes.hidden, self.sizes.hidden));
        Ok((CpuStorage::F32(y), shape))
    }

    fn bwd(
        &self,
        x: &Tensor,
        parameters: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let saved = self.saved.lock().unwrap_or_else(|e| e.into_inner()).take();
        let Some(saved) = saved else {
            candle_core::bail!(
                "{}: a second backward pass, or one that was not asked for",
                self.name()
            );
        };
        let dy = host(dy, <[f32]>::to_vec)?;
        let (dx, gradients) = host(x, |x| {
            host(parameters, |parameters| {
                self.backward(x, &LayerParams::of(self.sizes, parameters), saved, dy)
            })
        })??;
        Ok((
            Some(Tensor::from_vec(dx, x.shape(), x.device())?),
            Some(Tensor::from_vec(gradients, parameters.shape(), x.device())?),
        ))
    }
}
