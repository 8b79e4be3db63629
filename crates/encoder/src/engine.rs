//! The seam to tract: bytes of an ONNX model in, hidden states out.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use prost::Message;
use tract_onnx::pb::{GraphProto, ModelProto};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::format_err;

use crate::error::{Error, Result};

/// Lengths that plans are made for: a text is padded to the next of them. Close together where
/// queries and titles are; each plan holds its own packed weights, so that there are few of them.
const BUCKETS: [usize; 10] = [8, 16, 24, 32, 48, 64, 128, 256, 384, 512];

const INPUT_IDS: &str = "input_ids";
const ATTENTION_MASK: &str = "attention_mask";
const TOKEN_TYPE_IDS: &str = "token_type_ids";

/// A model that has been read, and its plans by length.
pub(crate) struct Engine {
    model: TypedModel,
    sequence: Symbol,
    inputs: Vec<Input>,
    dims: usize,
    pooled: bool,
    vocabulary: Option<usize>,
    max_positions: usize,
    plans: Mutex<BTreeMap<usize, Arc<TypedRunnableModel>>>,
}

#[derive(Clone, Copy)]
enum Input {
    Ids,
    Mask,
    Types,
}

/// What the model gives for a text.
pub(crate) enum Output {
    /// A vector for each token, `[tokens][dims]`, padding left out.
    Hidden(Vec<f32>),
    /// One vector, pooled by the model itself.
    Pooled(Vec<f32>),
}

impl Engine {
    pub fn load(bytes: &[u8], max_positions: usize) -> Result<Self> {
        guarded_engine("reading the model", || Self::parse(bytes, max_positions))?
    }

    fn parse(bytes: &[u8], max_positions: usize) -> Result<Self> {
        let proto = ModelProto::decode(bytes).map_err(|e| Error::Model {
            place: "first bytes".into(),
            expected: "the ONNX format".into(),
            found: e.to_string(),
        })?;
        let graph = proto.graph.as_ref().ok_or_else(|| Error::Model {
            place: "file".into(),
            expected: "a graph".into(),
            found: "none".into(),
        })?;
        let inputs = inputs(graph)?;
        let vocabulary = vocabulary(graph);

        let engine = |step: &str| {
            let step = step.to_owned();
            move |e: TractError| Error::Engine {
                step,
                reason: format!("{e:#}"),
            }
        };
        // What a quantizer leaves of value infos and output shapes contradicts itself at times.
        let onnx = onnx()
            .with_ignore_value_info(true)
            .with_ignore_output_shapes(true);
        let mut model = onnx
            .parse(&proto, None)
            .map_err(engine("reading the graph"))?
            .model;
        let sequence = model.symbols.sym("sequence");
        for (i, _) in inputs.iter().enumerate() {
            let fact = InferenceFact::dt_shape(i64::datum_type(), [1.to_dim(), sequence.to_dim()]);
            model
                .set_input_fact(i, fact)
                .map_err(engine("setting the inputs' shapes"))?;
        }
        let model = model.into_typed().map_err(engine("typing the graph"))?;
        let model = model
            .into_decluttered()
            .map_err(engine("simplifying the graph"))?;

        let output = model.output_fact(0).map_err(engine("reading the output"))?;
        let wrong = || Error::Model {
            place: "first output".into(),
            expected: "f32 [batch, sequence, dims] or [batch, dims]".into(),
            found: format!("{output:?}"),
        };
        let rank = output.shape.rank();
        if output.datum_type != f32::datum_type() || !(2..=3).contains(&rank) {
            return Err(wrong());
        }
        let dims = output.shape[rank - 1]
            .to_i64()
            .ok()
            .and_then(|d| usize::try_from(d).ok());
        let dims = dims.filter(|&d| d > 0).ok_or_else(wrong)?;
        Ok(Engine {
            pooled: rank == 2,
            model,
            sequence,
            inputs,
            dims,
            vocabulary,
            max_positions,
            plans: Mutex::default(),
        })
    }

    /// Components of a vector.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// Runs the model on one text.
    pub fn run(&self, ids: &[u32]) -> Result<Output> {
        if let (Some(rows), Some(&id)) = (self.vocabulary, ids.iter().max())
            && id as usize >= rows
        {
            return Err(Error::TokenRange { rows, id });
        }
        let length = self.bucket(ids.len());
        guarded_engine("running the model", || {
            self.run_padded(ids, length).map_err(|e| Error::Engine {
                step: "running the model".into(),
                reason: format!("{e:#}"),
            })
        })?
    }

    /// The length that a text of so many tokens is padded to.
    fn bucket(&self, tokens: usize) -> usize {
        let next = BUCKETS.into_iter().find(|&b| b >= tokens).unwrap_or(tokens);
        next.min(self.max_positions).max(tokens)
    }

    fn run_padded(&self, ids: &[u32], length: usize) -> TractResult<Output> {
        let plan = self.plan(length)?;
        // Padding is masked, but a dynamic quantizer's range spans it too: a token that the text has
        // anyway widens the range less than one that no training ever saw in this place.
        let padding = ids.last().copied().unwrap_or_default();
        let inputs = self.inputs.iter().map(|input| {
            let value = |i: usize| match (input, ids.get(i)) {
                (Input::Ids, id) => i64::from(id.copied().unwrap_or(padding)),
                (Input::Mask, Some(_)) => 1,
                (Input::Mask, None) | (Input::Types, _) => 0,
            };
            let values: Vec<i64> = (0..length).map(value).collect();
            Ok(Tensor::from_shape(&[1, length], &values)?.into_tvalue())
        });
        let outputs = plan.run(inputs.collect::<TractResult<TVec<TValue>>>()?)?;
        let output = outputs
            .first()
            .ok_or_else(|| format_err!("the model gave no output"))?;
        let output = output.to_plain_array_view::<f32>()?;
        let mut values: Vec<f32> = output.iter().copied().collect();
        if self.pooled {
            return Ok(Output::Pooled(values));
        }
        values.truncate(ids.len() * self.dims);
        Ok(Output::Hidden(values))
    }

    fn plan(&self, length: usize) -> TractResult<Arc<TypedRunnableModel>> {
        // A plan is only ever put in whole, so that a panic elsewhere leaves the map as it should be.
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = plans.get(&length) {
            return Ok(plan.clone());
        }
        let lengths = [(self.sequence.clone(), length.to_dim())]
            .into_iter()
            .collect();
        let model = self.model.set_symbols(&lengths)?.into_optimized()?;
        let plan = model.into_runnable()?;
        plans.insert(length, plan.clone());
        Ok(plan)
    }
}

/// The order of the model's inputs.
fn inputs(graph: &GraphProto) -> Result<Vec<Input>> {
    let constants: Vec<&str> = graph.initializer.iter().map(|t| t.name.as_str()).collect();
    let names: Vec<&str> = graph.input.iter().map(|i| i.name.as_str()).collect();
    let inputs: Option<Vec<Input>> = names
        .iter()
        .filter(|name| !constants.contains(name))
        .map(|&name| match name {
            INPUT_IDS => Some(Input::Ids),
            ATTENTION_MASK => Some(Input::Mask),
            TOKEN_TYPE_IDS => Some(Input::Types),
            _ => None,
        })
        .collect();
    inputs
        .filter(|i| i.iter().any(|i| matches!(i, Input::Ids)))
        .ok_or_else(|| Error::Model {
            place: "inputs".into(),
            expected: format!("{INPUT_IDS}, {ATTENTION_MASK} and {TOKEN_TYPE_IDS}"),
            found: names.join(", "),
        })
}

/// Rows of the table that token ids pick from, where the graph gathers from a constant.
fn vocabulary(graph: &GraphProto) -> Option<usize> {
    graph
        .node
        .iter()
        .filter(|node| {
            node.op_type == "Gather" && node.input.get(1).is_some_and(|i| i == INPUT_IDS)
        })
        .filter_map(|node| {
            let table = graph
                .initializer
                .iter()
                .find(|t| Some(&t.name) == node.input.first())?;
            usize::try_from(*table.dims.first()?).ok()
        })
        .min()
}

/// Calls into a library that reads bytes from outside. Should it panic on them, that is an error of
/// the bytes' and not the end of the process.
pub(crate) fn guarded<T, E: From<String>>(call: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let reason = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no reason given");
        Err(E::from(format!("the library panicked: {reason}")))
    })
}

fn guarded_engine<T>(step: &str, call: impl FnOnce() -> T) -> Result<T> {
    guarded(|| Ok::<T, String>(call())).map_err(|reason| Error::Engine {
        step: step.to_owned(),
        reason,
    })
}
