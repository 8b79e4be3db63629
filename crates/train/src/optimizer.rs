//! AdamW (Loshchilov and Hutter 2019), whose state can be saved, unlike that of candle's own.

use candle_core::{CpuStorage, Device, InplaceOp2, Layout, Result as TensorResult, Tensor};
use rayon::prelude::*;
use std::sync::Mutex;

use crate::bert::{Parameter, host};
use crate::error::Result;

const BETA1: f32 = 0.9;
const BETA2: f32 = 0.999;
const EPS: f32 = 1e-8;
/// Numbers that a thread takes at a time; sums do not depend on the number of threads.
const CHUNK: usize = 1 << 16;

/// The running means of a parameter's gradient and of its square.
pub(crate) struct Moments {
    pub first: Vec<f32>,
    pub second: Vec<f32>,
}

/// The optimizer's state.
pub(crate) struct AdamW {
    /// Updates made.
    pub step: usize,
    pub moments: Vec<Moments>,
}

/// Options of an update.
#[derive(Clone, Copy)]
pub(crate) struct Update {
    pub learning_rate: f64,
    pub weight_decay: f64,
    /// The gradient is scaled down to this length, if it is longer.
    pub clip: f64,
}

impl AdamW {
    pub fn new(parameters: &[Parameter<'_>]) -> Self {
        let zeros = |p: &Parameter<'_>| vec![0f32; p.var.elem_count()];
        let moments = parameters.iter().map(|p| Moments {
            first: zeros(p),
            second: zeros(p),
        });
        AdamW {
            step: 0,
            moments: moments.collect(),
        }
    }

    /// Makes one update and gives the gradient's length before it was clipped. One that is not finite
    /// changes nothing.
    pub fn update(
        &mut self,
        parameters: &[Parameter<'_>],
        gradients: &[Tensor],
        update: Update,
    ) -> Result<f64> {
        let mut squares = 0f64;
        for gradient in gradients {
            squares += host(&gradient.to_device(&Device::Cpu)?, |g| {
                let chunks: Vec<f64> = g
                    .par_chunks(CHUNK)
                    .map(|chunk| chunk.iter().map(|&x| f64::from(x) * f64::from(x)).sum())
                    .collect();
                chunks.iter().sum::<f64>()
            })?;
        }
        let norm = squares.sqrt();
        if !norm.is_finite() {
            return Ok(norm);
        }
        self.step += 1;
        let clip = (update.clip / norm.max(1e-12)).min(1.0) as f32;
        let correction = |beta: f32| 1.0 - f64::from(beta).powi(self.step as i32);
        let rate = update.learning_rate / correction(BETA1);
        for ((parameter, gradient), moments) in
            parameters.iter().zip(gradients).zip(&mut self.moments)
        {
            let rule = Rule {
                rate: rate as f32,
                root: 1.0 / correction(BETA2).sqrt() as f32,
                decay: (update.learning_rate * update.weight_decay) as f32,
                clip,
                parts: &parameter.parts,
                moments: Mutex::new(moments),
            };
            if parameter.var.device().is_cpu() {
                parameter.var.inplace_op2(&gradient.contiguous()?, &rule)?;
            } else {
                let on_host = parameter.var.to_device(&Device::Cpu)?;
                on_host.inplace_op2(&gradient.to_device(&Device::Cpu)?.contiguous()?, &rule)?;
                parameter
                    .var
                    .set(&on_host.to_device(parameter.var.device())?)?;
            }
        }
        Ok(norm)
    }
}

/// θ ← θ - rate · m / (root · √v + ε) - decay · θ
struct Rule<'a> {
    rate: f32,
    root: f32,
    decay: f32,
    clip: f32,
    parts: &'a [(usize, bool)],
    moments: Mutex<&'a mut Moments>,
}

impl InplaceOp2 for Rule<'_> {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn cpu_fwd(
        &self,
        parameter: &mut CpuStorage,
        parameter_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> TensorResult<()> {
        let CpuStorage::F32(parameter) = parameter else {
            candle_core::bail!("expected parameters in f32");
        };
        let (Some((p, p_end)), Some((g, g_end))) = (
            parameter_layout.contiguous_offsets(),
            gradient_layout.contiguous_offsets(),
        ) else {
            candle_core::bail!("expected contiguous parameters");
        };
        let mut guard = self.moments.lock().unwrap_or_else(|e| e.into_inner());
        let Moments { first, second } = &mut **guard;
        let parameter = &mut parameter[p..p_end];
        let gradient = &gradient.as_slice::<f32>()?[g..g_end];
        let mut start = 0;
        for &(length, decays) in self.parts {
            let part = start..start + length;
            start = part.end;
            let decay = if decays { self.decay } else { 0.0 };
            parameter[part.clone()]
                .par_chunks_mut(CHUNK)
                .zip(gradient[part.clone()].par_chunks(CHUNK))
                .zip(first[part.clone()].par_chunks_mut(CHUNK))
                .zip(second[part].par_chunks_mut(CHUNK))
                .for_each(|(((p, g), m), v)| {
                    for (((p, g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
                        let g = g * self.clip;
                        *m = BETA1 * *m + (1.0 - BETA1) * g;
                        *v = BETA2 * *v + (1.0 - BETA2) * g * g;
                        *p -= self.rate * *m / (self.root * v.sqrt() + EPS) + decay * *p;
                    }
                });
        }
        Ok(())
    }
}

/// The learning rate's factor at a step: up in a line over the warm-up, then down in a line to 0.
pub(crate) fn schedule(step: usize, steps: usize, warmup: usize) -> f64 {
    if step < warmup {
        return (step + 1) as f64 / warmup as f64;
    }
    let rest = steps.saturating_sub(warmup).max(1);
    (steps.saturating_sub(step)) as f64 / rest as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Var;

    /// Against the formulas of the paper's algorithm 2, in f64.
    #[test]
    fn updates_are_those_of_the_algorithm() {
        let start = [0.5f32, -1.0, 2.0];
        let gradients = [[0.1f32, -0.2, 0.3], [0.4, 0.0, -0.6], [1.0, 1.0, 1.0]];
        let var = Var::new(&start, &Device::Cpu).unwrap();
        let parameters = [Parameter {
            var: &var,
            parts: vec![(2, true), (1, false)],
        }];
        let mut optimizer = AdamW::new(&parameters);
        let update = Update {
            learning_rate: 0.1,
            weight_decay: 0.01,
            clip: 1.0,
        };
        let (mut p, mut m, mut v) = (start.map(f64::from), [0f64; 3], [0f64; 3]);
        for (t, gradient) in (1..).zip(&gradients) {
            let tensor = Tensor::new(gradient, &Device::Cpu).unwrap();
            let norm = optimizer.update(&parameters, &[tensor], update).unwrap();
            let length = gradient
                .iter()
                .map(|&g| f64::from(g).powi(2))
                .sum::<f64>()
                .sqrt();
            assert!((norm - length).abs() < 1e-6);
            for i in 0..3 {
                let g = f64::from(gradient[i]) * (1.0 / length).min(1.0);
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.999 * v[i] + 0.001 * g * g;
                let (m, v) = (
                    m[i] / (1.0 - 0.9f64.powi(t)),
                    v[i] / (1.0 - 0.999f64.powi(t)),
                );
                let decay = if i < 2 { 0.01 * p[i] } else { 0.0 };
                p[i] -= 0.1 * (m / (v.sqrt() + 1e-8) + decay);
            }
        }
        for (found, expected) in var.to_vec1::<f32>().unwrap().iter().zip(p) {
            assert!(
                (f64::from(*found) - expected).abs() < 1e-5,
                "{found} {expected}"
            );
        }
    }

    #[test]
    fn the_rate_rises_and_falls() {
        let rates: Vec<f64> = (0..6).map(|step| schedule(step, 6, 2)).collect();
        assert_eq!(rates, [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]);
    }
}
