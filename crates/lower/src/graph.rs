//! An ONNX graph on tract: read, typed, fused where it is recognised, and run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use nearshelf_container::{Bytes, guarded};
use nearshelf_kernels::Layer;
use nearshelf_network::{Fusion, Network};
use prost::Message;
use tract_onnx::Onnx;
use tract_onnx::pb::{GraphProto, ModelProto};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::{DimLike, PlainView, format_err};
use tract_onnx::tract_core::ops::cast::Cast;

use crate::error::{Error, Result};
use crate::fuse::fuse;
use crate::inputs::{ATTENTION_MASK, INPUT_IDS, TOKEN_TYPE_IDS};
use crate::ops::{EmbedTokens, EncoderLayer};
use crate::table::{Table, read_without_table};

/// Lengths that plans of unfused graphs are made for: a text is padded to the next of them. Close
/// together where queries and titles are; each plan holds its own packed weights, so that there are
/// few of them.
const BUCKETS: [usize; 10] = [8, 16, 24, 32, 48, 64, 128, 256, 384, 512];

/// Versions of ONNX's operators that the engine knows.
const OPSETS: std::ops::RangeInclusive<i64> = 11..=21;

/// A graph that has been read, and how it is run.
pub struct Graph {
    inputs: Vec<Input>,
    dims: usize,
    pooled: bool,
    vocabulary: Option<usize>,
    max_positions: usize,
    fusion: Fusion,
    plan: Plan,
}

enum Plan {
    /// Nothing but fused operators, which take texts of any lengths, packed.
    Packed(Arc<TypedRunnableModel>),
    /// A plan for each length that a text is padded to.
    ByLength {
        model: Box<TypedModel>,
        sequence: Symbol,
        plans: Mutex<BTreeMap<usize, Arc<TypedRunnableModel>>>,
    },
}

#[derive(Clone, Copy)]
enum Input {
    Ids,
    Mask,
    Types,
}

/// A text as the model gives it.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// A vector for each token, `[tokens][dims]`, padding left out.
    Hidden(Vec<f32>),
    /// One vector, pooled by the model itself.
    Pooled(Vec<f32>),
}

impl Graph {
    /// Reads a model. With `quantize`, linear layers run on 7-bit weights, fused where they are
    /// recognised; without, the graph runs as it is.
    ///
    /// Word embeddings in 8 bits stay where they lie in `bytes`, which the graph holds for that.
    ///
    /// # Errors
    /// Not ONNX, inputs or operators that no encoder has, weights that are not numbers.
    pub fn load(bytes: &Bytes, max_positions: usize, quantize: bool) -> Result<Self> {
        guarded_engine("reading the model", || {
            if quantize && let Some((proto, table)) = read_without_table(bytes) {
                let engine = Self::plan(proto, max_positions, Some(table))?;
                if engine.fusion.embeddings {
                    return Ok(engine);
                }
            }
            let proto = ModelProto::decode(&**bytes).map_err(|e| Error::Model {
                place: "first bytes".into(),
                expected: "the ONNX format".into(),
                found: e.to_string(),
            })?;
            match quantize {
                true => Self::plan(proto, max_positions, None),
                false => Self::plan_unfused(proto, max_positions),
            }
        })?
    }

    fn plan_unfused(proto: ModelProto, max_positions: usize) -> Result<Self> {
        let read = Read::new(proto)?;
        Self::new(read, max_positions, Fusion::default(), None)
    }

    /// `table` are the word embeddings, if `proto` has but one row of them.
    fn plan(proto: ModelProto, max_positions: usize, table: Option<Table>) -> Result<Self> {
        let mut read = Read::new(proto)?;
        let fused = fuse(read.model, &read.sequence, max_positions, table)?;
        read.model = fused.model;
        if !fused.fusion.complete() {
            log::warn!("model.onnx runs slower than it could: {}", fused.fusion);
        }
        Self::new(read, max_positions, fused.fusion, fused.vocabulary)
    }

    fn new(
        read: Read,
        max_positions: usize,
        fusion: Fusion,
        vocabulary: Option<usize>,
    ) -> Result<Self> {
        let plan = if fusion.complete() {
            let plan = read.model.into_runnable();
            Plan::Packed(plan.map_err(failed("planning the graph"))?)
        } else {
            let model = read.model.into_decluttered();
            Plan::ByLength {
                model: Box::new(model.map_err(failed("simplifying the graph"))?),
                sequence: read.sequence,
                plans: Mutex::default(),
            }
        };
        Ok(Graph {
            pooled: read.pooled,
            inputs: read.inputs,
            dims: read.dims,
            vocabulary: vocabulary.or(read.vocabulary),
            max_positions,
            fusion,
            plan,
        })
    }

    /// Components of a vector.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// The graph as a network that needs no graph engine; `None` where not all of it was recognised.
    ///
    /// # Errors
    /// Parts that were recognised and do not fit together.
    pub fn network(&self) -> Result<Option<Network>> {
        let Plan::Packed(plan) = &self.plan else {
            return Ok(None);
        };
        let Some((tables, layers)) = chain(plan.model()) else {
            return Ok(None);
        };
        Network::new(tables.clone(), layers)
            .map(Some)
            .map_err(|e| Error::Model {
                place: "fused layers".into(),
                expected: "parts that fit together".into(),
                found: e.to_string(),
            })
    }

    /// The parts that were fused.
    pub fn fusion(&self) -> &Fusion {
        &self.fusion
    }

    /// Rows of the word embeddings, where the graph has them as a constant.
    pub fn vocabulary(&self) -> Option<usize> {
        self.vocabulary
    }

    /// Whether the model pools its tokens itself.
    pub fn pooled(&self) -> bool {
        self.pooled
    }

    /// Runs the model on texts; what comes out for a text does not depend on the others.
    ///
    /// # Errors
    /// A token without an embedding; what the engine says.
    pub fn run(&self, texts: &[&[u32]]) -> Result<Vec<Output>> {
        let ids = texts.iter().flat_map(|ids| ids.iter());
        if let (Some(rows), Some(&id)) = (self.vocabulary, ids.max())
            && id as usize >= rows
        {
            return Err(Error::TokenRange { rows, id });
        }
        guarded_engine("running the model", || {
            match &self.plan {
                Plan::Packed(plan) => self.run_packed(plan, texts),
                Plan::ByLength {
                    model,
                    sequence,
                    plans,
                } => {
                    let one = |ids: &&[u32]| {
                        let length = self.bucket(ids.len());
                        let plan = planned(plans, model, sequence, length)?;
                        self.run_padded(&plan, ids, length)
                    };
                    texts.iter().map(one).collect()
                }
            }
            .map_err(failed("running the model"))
        })?
    }

    /// Texts one behind the other; in the mask each has a number of its own.
    fn run_packed(
        &self,
        plan: &Arc<TypedRunnableModel>,
        texts: &[&[u32]],
    ) -> TractResult<Vec<Output>> {
        let tokens = texts.iter().map(|ids| ids.len()).sum();
        let input = |value: fn(usize, u32) -> i64| {
            let each = |(text, ids): (usize, &&[u32])| -> Vec<i64> {
                ids.iter().map(|&id| value(text, id)).collect()
            };
            let values: Vec<i64> = texts.iter().enumerate().flat_map(each).collect();
            TractResult::Ok(Tensor::from_shape(&[1, tokens], &values)?.into_tvalue())
        };
        let inputs = self.inputs.iter().map(|kind| match kind {
            Input::Ids => input(|_, id| i64::from(id)),
            Input::Mask => input(|text, _| text as i64 + 1),
            Input::Types => input(|_, _| 0),
        });
        let outputs = plan.run(inputs.collect::<TractResult<TVec<TValue>>>()?)?;
        let values = first_output(&outputs)?.as_slice::<f32>()?;
        let mut rest = values;
        let cut = |ids: &&[u32]| {
            let hidden;
            (hidden, rest) = rest.split_at(ids.len() * self.dims);
            Output::Hidden(hidden.to_vec())
        };
        Ok(texts.iter().map(cut).collect())
    }

    /// The length that a text of so many tokens is padded to.
    fn bucket(&self, tokens: usize) -> usize {
        let next = BUCKETS.into_iter().find(|&b| b >= tokens).unwrap_or(tokens);
        next.min(self.max_positions).max(tokens)
    }

    fn run_padded(
        &self,
        plan: &Arc<TypedRunnableModel>,
        ids: &[u32],
        length: usize,
    ) -> TractResult<Output> {
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
        let output = first_output(&outputs)?;
        let mut values: Vec<f32> = output.to_array_view::<f32>()?.iter().copied().collect();
        if self.pooled {
            return Ok(Output::Pooled(values));
        }
        values.truncate(ids.len() * self.dims);
        Ok(Output::Hidden(values))
    }
}

/// A graph that has been read and checked, not yet planned.
struct Read {
    model: TypedModel,
    sequence: Symbol,
    inputs: Vec<Input>,
    dims: usize,
    pooled: bool,
    vocabulary: Option<usize>,
}

impl Read {
    fn new(proto: ModelProto) -> Result<Self> {
        check_opset(&proto)?;
        let graph = proto.graph.as_ref().ok_or_else(|| Error::Model {
            place: "file".into(),
            expected: "a graph".into(),
            found: "none".into(),
        })?;
        let inputs = inputs(graph)?;
        let vocabulary = vocabulary(graph);

        // What a quantizer leaves of value infos and output shapes contradicts itself at times.
        let onnx = onnx()
            .with_ignore_value_info(true)
            .with_ignore_output_shapes(true);
        check_operators(&onnx, graph)?;
        let mut model = onnx
            .parse(&proto, None)
            .map_err(failed("reading the graph"))?
            .model;
        drop(proto);
        let sequence = model.symbols.sym("sequence");
        for (i, _) in inputs.iter().enumerate() {
            let fact = InferenceFact::dt_shape(i64::datum_type(), [1.to_dim(), sequence.to_dim()]);
            model
                .set_input_fact(i, fact)
                .map_err(failed("setting the inputs' shapes"))?;
        }
        let model = model.into_typed().map_err(failed("typing the graph"))?;
        check_weights(&model)?;

        let output = model.output_fact(0).map_err(failed("reading the output"))?;
        let wrong = || Error::Model {
            place: "first output".into(),
            expected: "f32 [batch, sequence, dims] or [batch, dims]".into(),
            found: format!("{output:?}"),
        };
        let rank = output.shape.rank();
        if output.datum_type != f32::datum_type() || !(2..=3).contains(&rank) {
            return Err(wrong());
        }
        let dims = output.shape[rank - 1].to_usize().ok();
        let dims = dims.filter(|&d| d > 0).ok_or_else(wrong)?;
        Ok(Read {
            pooled: rank == 2,
            model,
            sequence,
            inputs,
            dims,
            vocabulary,
        })
    }
}

/// Embeddings and the layers on top of them, where the model is nothing but these.
fn chain(model: &TypedModel) -> Option<(&nearshelf_network::Tables, Vec<Layer>)> {
    let mut layers = Vec::new();
    let mut node = model.node(model.output_outlets().ok()?.first()?.node);
    loop {
        if let Some(op) = node.op_as::<EncoderLayer>() {
            layers.push(op.layer().clone());
        } else if let Some(op) = node.op_as::<EmbedTokens>() {
            layers.reverse();
            return Some((op.tables(), layers));
        } else if !is_identity(node) {
            return None;
        }
        node = model.node(node.inputs.first()?.node);
    }
}

/// Whether a node passes on what it is given; exporters write casts of f32 to f32.
fn is_identity(node: &TypedNode) -> bool {
    let cast = node.op_as::<Cast>();
    node.op.name() == "Identity" || cast.is_some_and(|cast| cast.to == f32::datum_type())
}

fn first_output(outputs: &[TValue]) -> TractResult<PlainView<'_>> {
    let output = outputs
        .first()
        .ok_or_else(|| format_err!("the model gave no output"))?;
    output.try_as_plain_ram()
}

fn planned(
    plans: &Mutex<BTreeMap<usize, Arc<TypedRunnableModel>>>,
    model: &TypedModel,
    sequence: &Symbol,
    length: usize,
) -> TractResult<Arc<TypedRunnableModel>> {
    // A plan is only ever put in whole, so that a panic elsewhere leaves the map as it should be.
    let mut plans = plans.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(plan) = plans.get(&length) {
        return Ok(plan.clone());
    }
    let lengths = [(sequence.clone(), length.to_dim())].into_iter().collect();
    let model = model.set_symbols(&lengths)?.into_optimized()?;
    let plan = model.into_runnable()?;
    plans.insert(length, plan.clone());
    Ok(plan)
}

fn failed(step: &str) -> impl Fn(TractError) -> Error {
    let step = step.to_owned();
    move |e: TractError| Error::Engine {
        step: step.clone(),
        reason: format!("{e:#}"),
    }
}

fn check_opset(proto: &ModelProto) -> Result<()> {
    let standard = |domain: &str| matches!(domain, "" | "ai.onnx");
    let opset = proto.opset_import.iter().find(|o| standard(&o.domain));
    match opset.map(|o| o.version) {
        Some(version) if OPSETS.contains(&version) => Ok(()),
        found => Err(Error::Model {
            place: "opset".into(),
            expected: format!("{} to {}", OPSETS.start(), OPSETS.end()),
            found: found.map_or("none".into(), |v| v.to_string()),
        }),
    }
}

fn check_operators(onnx: &Onnx, graph: &GraphProto) -> Result<()> {
    let unknown =
        |node: &&tract_onnx::pb::NodeProto| !onnx.op_register.0.contains_key(&*node.op_type);
    match graph.node.iter().find(unknown) {
        None => Ok(()),
        Some(node) => Err(Error::Model {
            place: format!("node {}", node.name),
            expected: "an operator that the engine has".into(),
            found: node.op_type.clone(),
        }),
    }
}

/// Checks that all constants in f32 are finite.
fn check_weights(model: &TypedModel) -> Result<()> {
    for node in model.nodes() {
        let Some(tensor) = &node.outputs.first().and_then(|o| o.fact.konst.as_ref()) else {
            continue;
        };
        let values = tensor.try_as_plain_ram().ok();
        let Some(Ok(values)) = values.as_ref().map(|v| v.as_slice::<f32>()) else {
            continue;
        };
        if let Some(x) = values.iter().find(|x| x.is_nan()) {
            return Err(Error::Model {
                place: format!("node {}", node.name),
                expected: "weights that are numbers".into(),
                found: x.to_string(),
            });
        }
    }
    Ok(())
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

fn guarded_engine<T>(step: &str, call: impl FnOnce() -> T) -> Result<T> {
    guarded(|| Ok::<T, String>(call())).map_err(|reason| Error::Engine {
        step: step.to_owned(),
        reason,
    })
}
