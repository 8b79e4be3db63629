//! BERT (Devlin et al. 2019) as an ONNX graph: embeddings, then layers of attention and feed-forward,
//! each with a residual and a layer norm behind it. Pooling is the runtime's part.

use std::f32::consts::SQRT_2;

use tract_onnx::pb::ModelProto;

use crate::Precision;
use crate::calibrate::{Calibration, Inputs};
use crate::config::BertConfig;
use crate::error::Result;
use crate::gptq::{Correlation, compensated};
use crate::graph::{Graph, Value, float, int, ints, to_f32, to_u8};
use crate::matrix::transpose;
use crate::quantize::{EMBEDDING_MAX, WEIGHT_MAX, divisors, rows};
use crate::weights::Weights;

/// Added to the scores of padding: far below any score, and finite, so that a row of padding alone
/// still has a softmax.
const MASKED: f32 = -1e9;

pub(crate) fn model(
    config: &BertConfig,
    weights: &Weights,
    calibration: Option<Calibration<'_>>,
) -> Result<ModelProto> {
    let precision = match calibration {
        Some(_) => Precision::Int8,
        None => Precision::F32,
    };
    let mut writer = Writer {
        graph: Graph::default(),
        config,
        weights,
        precision,
        calibration,
    };
    let mut hidden = writer.embeddings()?;
    let mask = writer.mask();
    writer.shapes();
    for layer in 0..config.num_hidden_layers {
        hidden = writer.layer(layer, &hidden, &mask)?;
    }
    let output = "last_hidden_state";
    writer.graph.node(output, "Identity", &[&hidden], vec![]);
    let inputs = ["input_ids", "attention_mask", "token_type_ids"];
    Ok(writer.graph.into_model(&inputs, output, config.hidden_size))
}

struct Writer<'a> {
    graph: Graph,
    config: &'a BertConfig,
    weights: &'a Weights,
    precision: Precision,
    /// Inputs of the layers, for INT8.
    calibration: Option<Calibration<'a>>,
}

/// The quantized input of linear layers: (x - center) / divisors.
struct Activation {
    /// Its values are called after it.
    name: String,
    /// The values themselves, for layers in f32.
    x: String,
    /// For INT8.
    shaped: Option<Shaped>,
}

struct Shaped {
    center: Vec<f32>,
    divisors: Vec<f32>,
    correlation: Correlation,
}

impl Writer<'_> {
    /// LayerNorm(word + type + position), `[batch, sequence, hidden]`.
    fn embeddings(&mut self) -> Result<Value> {
        let config = self.config;
        let word = self.embedding("word", config.vocab_size, |graph, table, name| {
            graph.node(name, "Gather", &[table, "input_ids"], vec![])
        })?;
        let token_type = self.embedding(
            "token_type",
            config.type_vocab_size,
            |graph, table, name| graph.node(name, "Gather", &[table, "token_type_ids"], vec![]),
        )?;
        self.graph.node("shape", "Shape", &["input_ids"], vec![]);
        self.graph.i64("one", &[1], &[1]);
        self.graph.i64("two", &[1], &[2]);
        self.graph.i64("zero", &[1], &[0]);
        self.graph.node(
            "sequence",
            "Slice",
            &["shape", "one", "two", "zero"],
            vec![],
        );
        let position = self.embedding(
            "position",
            config.max_position_embeddings,
            |graph, table, name| {
                graph.node(name, "Slice", &[table, "zero", "sequence", "zero"], vec![])
            },
        )?;
        let sum = self.graph.node(
            "embeddings.words_and_types",
            "Add",
            &[&word, &token_type],
            vec![],
        );
        let sum = self
            .graph
            .node("embeddings.sum", "Add", &[&sum, &position], vec![]);
        self.layer_norm("embeddings.LayerNorm", &sum)
    }

    /// Rows of an embedding table, picked by `pick(graph, table, name)`.
    fn embedding(
        &mut self,
        kind: &str,
        count: usize,
        pick: impl Fn(&mut Graph, &str, &str) -> Value,
    ) -> Result<Value> {
        let name = format!("embeddings.{kind}_embeddings");
        let width = self.config.hidden_size;
        let table = self
            .weights
            .get(&format!("{name}.weight"), &[count, width])?;
        let graph = &mut self.graph;
        if self.precision == Precision::F32 {
            let table = graph.f32(&format!("{name}.weight"), &[count, width], &table);
            return Ok(pick(graph, &table, &name));
        }
        let quantized = rows(&table, width, EMBEDDING_MAX);
        let codes = graph.i8(&format!("{name}.codes"), &[count, width], &quantized.codes);
        let scales = graph.f32(&format!("{name}.scales"), &[count, 1], &quantized.scales);
        let codes = pick(graph, &codes, &format!("{name}.row"));
        let scales = pick(graph, &scales, &format!("{name}.row_scale"));
        let codes = graph.node(
            &format!("{name}.row_f32"),
            "Cast",
            &[&codes],
            vec![to_f32()],
        );
        Ok(graph.node(&name, "Mul", &[&codes, &scales], vec![]))
    }

    /// 0 for tokens and [`MASKED`] for padding, `[batch, 1, 1, sequence]`.
    fn mask(&mut self) -> Value {
        let graph = &mut self.graph;
        graph.i64("mask.axes", &[2], &[1, 2]);
        graph.f32("mask.one", &[], &[1.0]);
        graph.f32("mask.masked", &[], &[MASKED]);
        graph.node(
            "mask.wide",
            "Unsqueeze",
            &["attention_mask", "mask.axes"],
            vec![],
        );
        graph.node("mask.f32", "Cast", &["mask.wide"], vec![to_f32()]);
        graph.node("mask.padding", "Sub", &["mask.one", "mask.f32"], vec![]);
        graph.node("mask", "Mul", &["mask.padding", "mask.masked"], vec![])
    }

    /// Constants that all layers share.
    fn shapes(&mut self) {
        let heads = self.config.num_attention_heads as i64;
        let hidden = self.config.hidden_size as i64;
        // 0 keeps the input's dimension.
        self.graph
            .i64("split_heads", &[4], &[0, 0, heads, hidden / heads]);
        self.graph.i64("join_heads", &[3], &[0, 0, hidden]);
        if self.precision == Precision::Int8 {
            self.graph.f32("quantize.half", &[], &[0.5]);
            self.graph.f32("quantize.steps", &[], &[254.0]);
            // So that a token of equal values has a scale to be divided by.
            self.graph
                .f32("quantize.least", &[], &[f32::MIN_POSITIVE * 1024.0]);
            self.graph.f32("quantize.zero_f32", &[], &[128.0]);
            self.graph.u8("quantize.zero", &[], &[128]);
        }
        let per_head = (hidden / heads) as f32;
        self.graph
            .f32("attention_scale", &[], &[1.0 / per_head.sqrt()]);
        if self.config.hidden_act == "gelu" {
            self.graph.f32("gelu.sqrt2", &[], &[SQRT_2]);
            self.graph.f32("gelu.one", &[], &[1.0]);
            self.graph.f32("gelu.half", &[], &[0.5]);
        }
    }

    fn layer(&mut self, number: usize, hidden: &str, mask: &str) -> Result<Value> {
        let (width, inner) = (self.config.hidden_size, self.config.intermediate_size);
        let name = format!("encoder.layer.{number}");
        let inputs = self
            .calibration
            .as_mut()
            .map(|c| c.layer(number))
            .transpose()?;
        let inputs = inputs.as_ref();
        let given = inputs.map(|i| &i.attention);
        let context = self.attention(number, hidden, mask, given)?;

        let part = format!("{name}.attention.output");
        let given = inputs.map(|i| &i.attention_output);
        let x = self.dense(&part, &context, given, None, width, width)?;
        let x = self
            .graph
            .node(&format!("{part}.residual"), "Add", &[&x, hidden], vec![]);
        let attended = self.layer_norm(&format!("{part}.LayerNorm"), &x)?;

        let norm = format!("{part}.LayerNorm");
        let part = format!("{name}.intermediate");
        let given = inputs.map(|i| &i.intermediate);
        let x = self.dense(&part, &attended, given, Some(&norm), width, inner)?;
        let x = self.act(&part, &x);
        let part = format!("{name}.output");
        let given = inputs.map(|i| &i.output);
        let x = self.dense(&part, &x, given, None, inner, width)?;
        let x = self
            .graph
            .node(&format!("{part}.residual"), "Add", &[&x, &attended], vec![]);
        self.layer_norm(&format!("{part}.LayerNorm"), &x)
    }

    /// softmax(Q · Kᵀ / √d + mask) · V, the heads side by side.
    fn attention(
        &mut self,
        number: usize,
        hidden: &str,
        mask: &str,
        given: Option<&Inputs>,
    ) -> Result<Value> {
        let width = self.config.hidden_size;
        let attention = format!("encoder.layer.{number}.attention.self");
        // The bias of the layer norm before is a good middle of what comes out of it.
        let before = match number {
            0 => "embeddings.LayerNorm".to_owned(),
            _ => format!("encoder.layer.{}.output.LayerNorm", number - 1),
        };
        let kinds = ["query", "key", "value"].map(|kind| format!("{attention}.{kind}"));
        let quantized = self.activation(&attention, hidden, given, Some(&before), &kinds, width)?;
        let mut heads = |part: &str, order: [i64; 4]| -> Result<Value> {
            let x = self.linear(part, &quantized, width, width)?;
            let split = format!("{part}.split");
            let x = self
                .graph
                .node(&split, "Reshape", &[&x, "split_heads"], vec![]);
            let perm = vec![ints("perm", &order)];
            Ok(self
                .graph
                .node(&format!("{part}.heads"), "Transpose", &[&x], perm))
        };
        let query = heads(&kinds[0], [0, 2, 1, 3])?;
        let key = heads(&kinds[1], [0, 2, 3, 1])?;
        let value = heads(&kinds[2], [0, 2, 1, 3])?;

        let graph = &mut self.graph;
        let at = |suffix: &str| format!("{attention}.{suffix}");
        let x = graph.node(&at("scores"), "MatMul", &[&query, &key], vec![]);
        let x = graph.node(&at("scaled"), "Mul", &[&x, "attention_scale"], vec![]);
        let x = graph.node(&at("masked"), "Add", &[&x, mask], vec![]);
        let last = vec![int("axis", -1)];
        let x = graph.node(&at("probabilities"), "Softmax", &[&x], last);
        let x = graph.node(&at("context"), "MatMul", &[&x, &value], vec![]);
        let perm = vec![ints("perm", &[0, 2, 1, 3])];
        let x = graph.node(&at("order"), "Transpose", &[&x], perm);
        Ok(graph.node(&at("joined"), "Reshape", &[&x, "join_heads"], vec![]))
    }

    /// GELU(x) = x · (1 + erf(x / √2)) / 2 (Hendrycks and Gimpel 2016), or ReLU.
    fn act(&mut self, name: &str, x: &str) -> Value {
        let graph = &mut self.graph;
        let at = |suffix: &str| format!("{name}.{suffix}");
        if self.config.hidden_act == "relu" {
            return graph.node(&at("relu"), "Relu", &[x], vec![]);
        }
        let scaled = graph.node(&at("gelu.scaled"), "Div", &[x, "gelu.sqrt2"], vec![]);
        let erf = graph.node(&at("gelu.erf"), "Erf", &[&scaled], vec![]);
        let raised = graph.node(&at("gelu.raised"), "Add", &[&erf, "gelu.one"], vec![]);
        let product = graph.node(&at("gelu.product"), "Mul", &[x, &raised], vec![]);
        graph.node(&at("gelu"), "Mul", &[&product, "gelu.half"], vec![])
    }

    /// A linear layer called `dense` with an activation of its own.
    fn dense(
        &mut self,
        name: &str,
        x: &str,
        inputs: Option<&Inputs>,
        norm: Option<&str>,
        from: usize,
        to: usize,
    ) -> Result<Value> {
        let part = format!("{name}.dense");
        let quantized =
            self.activation(name, x, inputs, norm, std::slice::from_ref(&part), from)?;
        self.linear(&part, &quantized, from, to)
    }

    /// Quantizes what goes into the linear layers `readers`.
    ///
    /// A scale and a middle for each token, not for the text: a token with large values then costs the
    /// others no precision, and padding changes nothing. t = (x - center) / divisors,
    /// middle = (max t + min t) / 2, scale = (max t - min t) / 254, code = round((t - middle) / scale).
    /// Codes are stored with 128 added: unsigned activations are what ONNX Runtime has kernels for.
    ///
    /// `norm` is the layer norm that `x` comes out of; what does not is quantized around zero, and its
    /// outliers are left alone where they come out of attention, which has none.
    fn activation(
        &mut self,
        name: &str,
        x: &str,
        inputs: Option<&Inputs>,
        norm: Option<&str>,
        readers: &[String],
        width: usize,
    ) -> Result<Activation> {
        let name = format!("{name}.input");
        let Some(inputs) = inputs else {
            return Ok(Activation {
                name,
                x: x.to_owned(),
                shaped: None,
            });
        };
        let center = match norm {
            Some(norm) => self.weights.get(&format!("{norm}.bias"), &[width])?,
            None => vec![0.0; width],
        };
        let weights = readers.iter().map(|reader| self.weight(reader, width));
        let weights = weights.collect::<Result<Vec<_>>>()?;
        let divisors = divisors(&inputs.sizes(&center), &weights);

        let gain: Vec<f32> = divisors.iter().map(|d| 1.0 / d).collect();
        let correlation = Correlation::new(&inputs.moments(&center, &gain), width);

        let graph = &mut self.graph;
        let at = |suffix: &str| format!("{name}.{suffix}");
        let mut t = x.to_owned();
        if norm.is_some() {
            graph.f32(&at("center"), &[width], &center);
            t = graph.node(&at("centred"), "Sub", &[&t, &at("center")], vec![]);
        }
        if divisors.iter().any(|&d| d != 1.0) {
            graph.f32(&at("gain"), &[width], &gain);
            t = graph.node(&at("shaped"), "Mul", &[&t, &at("gain")], vec![]);
        }
        let per_token = || vec![ints("axes", &[-1]), int("keepdims", 1)];
        let most = graph.node(&at("most"), "ReduceMax", &[&t], per_token());
        let least = graph.node(&at("least"), "ReduceMin", &[&t], per_token());
        let sum = graph.node(&at("sum"), "Add", &[&most, &least], vec![]);
        let middle = graph.node(&at("middle"), "Mul", &[&sum, "quantize.half"], vec![]);
        let range = graph.node(&at("range"), "Sub", &[&most, &least], vec![]);
        let step = graph.node(&at("step"), "Div", &[&range, "quantize.steps"], vec![]);
        let scale = graph.node(&at("scale"), "Max", &[&step, "quantize.least"], vec![]);
        let around = graph.node(&at("around"), "Sub", &[&t, &middle], vec![]);
        let codes = graph.node(&at("scaled"), "Div", &[&around, &scale], vec![]);
        let codes = graph.node(&at("rounded"), "Round", &[&codes], vec![]);
        let codes = graph.node(&at("offset"), "Add", &[&codes, "quantize.zero_f32"], vec![]);
        graph.node(&at("codes"), "Cast", &[&codes], vec![to_u8()]);
        Ok(Activation {
            name,
            x: t,
            shaped: Some(Shaped {
                center,
                divisors,
                correlation,
            }),
        })
    }

    /// The weights of a linear layer of `from` inputs, `[outputs][inputs]`.
    fn weight(&self, name: &str, from: usize) -> Result<Vec<f32>> {
        let inner = self.config.intermediate_size;
        let to = match name.ends_with("intermediate.dense") {
            true => inner,
            false => self.config.hidden_size,
        };
        self.weights.get(&format!("{name}.weight"), &[to, from])
    }

    /// x · Wᵀ + b. With INT8 weights from the quantized activation: the integer product times each
    /// token's scale and each output's, and the token's middle times the sum of each output's weights.
    fn linear(&mut self, name: &str, input: &Activation, from: usize, to: usize) -> Result<Value> {
        let mut weight = self.weight(name, from)?;
        let mut bias = self.weights.get(&format!("{name}.bias"), &[to])?;
        let graph = &mut self.graph;
        let at = |suffix: &str| format!("{name}.{suffix}");
        let product = match &input.shaped {
            None => {
                let weight = graph.f32(&at("weight"), &[from, to], &transpose(&weight, to, from));
                graph.node(&at("product"), "MatMul", &[&input.x, &weight], vec![])
            }
            Some(shaped) => {
                for (row, bias) in weight.chunks_exact_mut(from).zip(&mut bias) {
                    // What was taken from the inputs goes into the bias.
                    *bias += row
                        .iter()
                        .zip(&shaped.center)
                        .map(|(w, c)| w * c)
                        .sum::<f32>();
                    row.iter_mut()
                        .zip(&shaped.divisors)
                        .for_each(|(w, d)| *w *= d);
                }
                let weight = compensated(&weight, WEIGHT_MAX, &shaped.correlation);
                let sums = weight.codes.chunks_exact(from).zip(&weight.scales);
                let sums = sums.map(|(row, scale)| {
                    row.iter().map(|&c| i32::from(c)).sum::<i32>() as f32 * scale
                });
                let sums: Vec<f32> = sums.collect();
                let codes = transpose(&weight.codes, to, from);
                let codes = graph.i8(&at("codes"), &[from, to], &codes);
                let scales = graph.f32(&at("scales"), &[to], &weight.scales);
                let sums = graph.f32(&at("sums"), &[to], &sums);
                let value = |suffix: &str| format!("{}.{suffix}", input.name);
                let operands = [&*value("codes"), &codes, "quantize.zero"];
                let sum = graph.node(&at("sum"), "MatMulInteger", &operands, vec![]);
                let sum = graph.node(&at("sum_f32"), "Cast", &[&sum], vec![to_f32()]);
                let sum = graph.node(&at("sum_scaled"), "Mul", &[&sum, &value("scale")], vec![]);
                let sum = graph.node(&at("around"), "Mul", &[&sum, &scales], vec![]);
                let middle = graph.node(&at("middle"), "Mul", &[&value("middle"), &sums], vec![]);
                graph.node(&at("product"), "Add", &[&sum, &middle], vec![])
            }
        };
        let bias = graph.f32(&at("bias"), &[to], &bias);
        Ok(graph.node(name, "Add", &[&product, &bias], vec![]))
    }

    fn layer_norm(&mut self, name: &str, x: &str) -> Result<Value> {
        let width = self.config.hidden_size;
        let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
        let weight_values = self.weights.get(&weight, &[width])?;
        let bias_values = self.weights.get(&bias, &[width])?;
        self.graph.f32(&weight, &[width], &weight_values);
        self.graph.f32(&bias, &[width], &bias_values);
        let attributes = vec![
            int("axis", -1),
            float("epsilon", self.config.layer_norm_eps),
        ];
        Ok(self
            .graph
            .node(name, "LayerNormalization", &[x, &weight, &bias], attributes))
    }
}
