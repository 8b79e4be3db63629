//! Inputs of each linear layer when the model reads: the layer's weights are quantized for them.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::config::BertConfig;
use crate::error::Result;
use crate::matrix::{product, transpose};
use crate::weights::Weights;

const SEED: u64 = 3;
/// Sequences of random tokens, of 1 + a geometrically distributed number of them.
const SEQUENCES: usize = 400;
const MEAN_LENGTH: f64 = 16.0;
const LONGEST: usize = 200;
/// Sequences of one to four tokens: texts that short depend on every one.
const SHORT: usize = 300;

/// The texts that a model is calibrated on, as token ids.
///
/// Random tokens need no data and meet every part of the vocabulary; `texts` of the model's use, where
/// they are given, are added.
pub(crate) fn sequences(
    vocabulary: usize,
    ends: (u32, u32),
    texts: Vec<Vec<u32>>,
) -> Vec<Vec<u32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut random = |length: usize| -> Vec<u32> {
        let inner: Vec<u32> = (0..length)
            .map(|_| rng.random_range(0..vocabulary as u32))
            .collect();
        [vec![ends.0], inner, vec![ends.1]].concat()
    };
    let mut all: Vec<Vec<u32>> = Vec::new();
    for i in 0..SEQUENCES {
        // The quantiles of the distribution, so that few sequences are like many.
        let quantile = (i as f64 + 0.5) / SEQUENCES as f64;
        let length = 1.0 + libm::log(1.0 - quantile) / libm::log(1.0 - 1.0 / MEAN_LENGTH);
        all.push(random((length as usize).min(LONGEST)));
    }
    for i in 0..SHORT {
        all.push(random(1 + i % 4));
    }
    all.extend(texts);
    all
}

/// The inputs of one linear layer, over all calibration tokens.
pub(crate) struct Inputs {
    values: Vec<f32>,
    width: usize,
    /// A token's weight: its share of its text. Vectors are means over tokens, in which the errors of
    /// a long text cancel out.
    weights: Vec<f32>,
}

impl Inputs {
    /// The size that one token in a thousand exceeds, for each channel of x - center.
    pub fn sizes(&self, center: &[f32]) -> Vec<f32> {
        let tokens = self.weights.len();
        let rank = ((tokens - 1) as f64 * 0.999) as usize;
        (0..self.width)
            .map(|c| {
                let column = self.values.iter().skip(c).step_by(self.width);
                let mut sizes: Vec<f32> = column.map(|x| (x - center[c]).abs()).collect();
                *sizes.select_nth_unstable_by(rank, f32::total_cmp).1
            })
            .collect()
    }

    /// Σ x · xᵀ of the shaped inputs (x - center) · gain.
    pub fn moments(&self, center: &[f32], gain: &[f32]) -> Vec<f32> {
        let mut shaped = self.values.clone();
        for (row, weight) in shaped.chunks_exact_mut(self.width).zip(&self.weights) {
            for ((x, c), g) in row.iter_mut().zip(center).zip(gain) {
                *x = (*x - c) * g * weight.sqrt();
            }
        }
        let transposed = transpose(&shaped, self.weights.len(), self.width);
        product(&transposed, &shaped, self.weights.len(), self.width)
    }
}

/// The hidden states of all calibration texts, taken from layer to layer.
pub(crate) struct Calibration<'a> {
    config: &'a BertConfig,
    weights: &'a Weights,
    lengths: Vec<usize>,
    shares: Vec<f32>,
    hidden: Vec<f32>,
}

/// Inputs of the four kinds of linear layers of an encoder layer.
pub(crate) struct LayerInputs {
    pub attention: Inputs,
    pub attention_output: Inputs,
    pub intermediate: Inputs,
    pub output: Inputs,
}

impl<'a> Calibration<'a> {
    /// The embeddings of `sequences`.
    ///
    /// # Errors
    /// A tensor that is missing.
    pub fn new(
        config: &'a BertConfig,
        weights: &'a Weights,
        sequences: &[Vec<u32>],
    ) -> Result<Self> {
        let width = config.hidden_size;
        let table = |kind: &str, rows: usize| {
            let name = format!("embeddings.{kind}_embeddings.weight");
            weights.get(&name, &[rows, width])
        };
        let words = table("word", config.vocab_size)?;
        let positions = table("position", config.max_position_embeddings)?;
        let types = table("token_type", config.type_vocab_size)?;
        let mut hidden = Vec::new();
        let (mut lengths, mut shares) = (Vec::new(), Vec::new());
        for ids in sequences {
            let length = ids.len().min(config.max_position_embeddings);
            for (position, id) in ids[..length].iter().enumerate() {
                let word = &words[*id as usize * width..][..width];
                let position = &positions[position * width..][..width];
                let sum = word.iter().zip(position).zip(&types[..width]);
                hidden.extend(sum.map(|((w, p), t)| w + p + t));
                shares.push(1.0 / length as f32);
            }
            lengths.push(length);
        }
        let mut calibration = Calibration {
            config,
            weights,
            lengths,
            shares,
            hidden,
        };
        let mut hidden = std::mem::take(&mut calibration.hidden);
        calibration.layer_norm(&mut hidden, "embeddings.LayerNorm")?;
        calibration.hidden = hidden;
        Ok(calibration)
    }

    /// Runs the next layer in f32.
    ///
    /// # Errors
    /// A tensor that is missing.
    pub fn layer(&mut self, number: usize) -> Result<LayerInputs> {
        let (width, inner) = (self.config.hidden_size, self.config.intermediate_size);
        let name = format!("encoder.layer.{number}");
        let at = |part: &str| format!("{name}.{part}");
        let input = std::mem::take(&mut self.hidden);

        let [query, key, value] = ["query", "key", "value"]
            .map(|kind| self.linear(&input, &at(&format!("attention.self.{kind}")), width, width));
        let context = self.attend(&query?, &key?, &value?);
        let mut attended = self.linear(&context, &at("attention.output.dense"), width, width)?;
        attended.iter_mut().zip(&input).for_each(|(y, x)| *y += x);
        self.layer_norm(&mut attended, &at("attention.output.LayerNorm"))?;

        let mut grown = self.linear(&attended, &at("intermediate.dense"), width, inner)?;
        for x in &mut grown {
            *x = match &*self.config.hidden_act {
                "relu" => x.max(0.0),
                _ => *x * 0.5 * (1.0 + libm::erff(*x * std::f32::consts::FRAC_1_SQRT_2)),
            };
        }
        let mut hidden = self.linear(&grown, &at("output.dense"), inner, width)?;
        hidden.iter_mut().zip(&attended).for_each(|(y, x)| *y += x);
        self.layer_norm(&mut hidden, &at("output.LayerNorm"))?;
        self.hidden = hidden;

        let inputs = |values: Vec<f32>, width: usize| Inputs {
            values,
            width,
            weights: self.shares.clone(),
        };
        Ok(LayerInputs {
            attention: inputs(input, width),
            attention_output: inputs(context, width),
            intermediate: inputs(attended, width),
            output: inputs(grown, inner),
        })
    }

    fn linear(&self, x: &[f32], name: &str, from: usize, to: usize) -> Result<Vec<f32>> {
        let weight = self.weights.get(&format!("{name}.weight"), &[to, from])?;
        let bias = self.weights.get(&format!("{name}.bias"), &[to])?;
        let mut y = product(x, &transpose(&weight, to, from), from, to);
        for row in y.chunks_exact_mut(to) {
            row.iter_mut().zip(&bias).for_each(|(y, b)| *y += b);
        }
        Ok(y)
    }

    /// softmax(Q · Kᵀ / √d) · V, text by text and head by head.
    fn attend(&self, query: &[f32], key: &[f32], value: &[f32]) -> Vec<f32> {
        let width = self.config.hidden_size;
        let head = width / self.config.num_attention_heads;
        let scale = 1.0 / (head as f32).sqrt();
        let mut context = vec![0f32; query.len()];
        let mut start = 0;
        for &length in &self.lengths {
            for first in (0..width).step_by(head) {
                let row = |matrix: &'_ [f32], token: usize| -> Vec<f32> {
                    matrix[(start + token) * width + first..][..head].to_vec()
                };
                for i in 0..length {
                    let q = row(query, i);
                    let dot = |j: usize| -> f32 {
                        let k = row(key, j);
                        q.iter().zip(&k).map(|(q, k)| q * k).sum::<f32>() * scale
                    };
                    let mut scores: Vec<f32> = (0..length).map(dot).collect();
                    let most = scores.iter().copied().fold(f32::MIN, f32::max);
                    scores.iter_mut().for_each(|s| *s = libm::expf(*s - most));
                    let total: f32 = scores.iter().sum();
                    let out = &mut context[(start + i) * width + first..][..head];
                    for (j, score) in scores.iter().enumerate() {
                        let values = &value[(start + j) * width + first..][..head];
                        out.iter_mut()
                            .zip(values)
                            .for_each(|(o, v)| *o += score / total * v);
                    }
                }
            }
            start += length;
        }
        context
    }

    fn layer_norm(&self, x: &mut [f32], name: &str) -> Result<()> {
        let width = self.config.hidden_size;
        let weight = self.weights.get(&format!("{name}.weight"), &[width])?;
        let bias = self.weights.get(&format!("{name}.bias"), &[width])?;
        for row in x.chunks_exact_mut(width) {
            let mean = row.iter().sum::<f32>() / width as f32;
            let squares: f32 = row.iter().map(|x| (x - mean) * (x - mean)).sum();
            let inverse = 1.0 / (squares / width as f32 + self.config.layer_norm_eps).sqrt();
            for ((x, w), b) in row.iter_mut().zip(&weight).zip(&bias) {
                *x = (*x - mean) * inverse * w + b;
            }
        }
        Ok(())
    }
}
