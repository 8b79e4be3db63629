//! The pass that finds encoder layers in a graph and puts fused operators in their place.

mod attention;
mod embedding;
mod gelu;
mod layer;
mod linear;
mod norm;
mod view;

use nearshelf_kernels::{Activation, Isa, Linear};
use nearshelf_network::Fusion;
use tract_onnx::prelude::*;

use self::view::{Miss, View};
use crate::error::{Error, Result};
use crate::inputs::ATTENTION_MASK;
use crate::ops::{EmbedTokens, EncoderLayer, QuantizedLinear};
use crate::table::Table;

/// A graph after the pass.
pub(crate) struct Fused {
    pub model: TypedModel,
    pub fusion: Fusion,
    /// Rows of the word embeddings, where they were recognised.
    pub vocabulary: Option<usize>,
}

/// Puts fused operators in place of what is recognised in `model`, whose inputs are `[1, sequence]`.
///
/// `table` are the word embeddings, if the graph has but one row of them.
pub(crate) fn fuse(
    model: TypedModel,
    sequence: &Symbol,
    positions: usize,
    table: Option<Table>,
) -> Result<Fused> {
    Pass {
        model,
        sequence,
        positions,
        table,
        fusion: Fusion {
            isa: Isa::detect().name().into(),
            ..Fusion::default()
        },
        vocabulary: None,
        masks: Vec::new(),
    }
    .run()
}

struct Pass<'a> {
    model: TypedModel,
    sequence: &'a Symbol,
    positions: usize,
    table: Option<Table>,
    fusion: Fusion,
    vocabulary: Option<usize>,
    /// Masks that were found to be the attention mask's.
    masks: Vec<OutletId>,
}

impl Pass<'_> {
    fn run(mut self) -> Result<Fused> {
        let output = match self.model.output_outlets() {
            Ok(&[output, ..]) => output,
            _ => return self.finish(),
        };
        let Some(mask) = self.source(ATTENTION_MASK) else {
            return self.finish();
        };
        // From the output down: what a layer is made of is then still as the exporter wrote it.
        let order = self.model.eval_order().map_err(engine)?;
        let is_add = |id: &usize| self.model.node(*id).op.name() == "Add";
        let candidates: Vec<usize> = order.into_iter().rev().filter(is_add).collect();
        // Where the next layer is expected to end.
        let mut expected = View { model: &self.model }.skip(output);
        let mut differs = None;
        for &id in &candidates {
            let here = OutletId::new(id, 0);
            match self.layer(here, mask) {
                Ok(input) => expected = input,
                Err(Miss::Wrong(error)) => return Err(error),
                // Below the last layer there is no other.
                Err(miss) if here == expected => differs = differs.or(Some((here, miss))),
                Err(_) => {}
            }
        }
        // Embeddings are where the lowest layer begins, whether that was recognised or not.
        let (mut found, mut missed) = (None, None);
        for id in candidates.iter().rev() {
            let here = OutletId::new(*id, 0);
            match self.embeddings(here, mask) {
                Ok(()) => {
                    found = Some(here);
                    break;
                }
                Err(Miss::Wrong(error)) => return Err(error),
                Err(miss) if here == expected => missed = Some((here, miss)),
                Err(_) => {}
            }
        }
        if self.fusion.layers > 0 {
            // No layer has to end where embeddings do.
            let end = found.unwrap_or(expected);
            differs = differs.filter(|(here, _)| *here != end);
            if found.is_none() {
                differs = differs.or(missed);
            }
        }
        if let Some((_, Miss::Other { node, expected })) = differs {
            self.fusion.differs = Some((node, expected));
        }
        self.model.compact().map_err(engine)?;
        if self.unfused() > 0 {
            self.linears()?;
            self.model.compact().map_err(engine)?;
        }
        self.finish()
    }

    fn source(&self, name: &str) -> Option<OutletId> {
        let sources = self.model.input_outlets().ok()?;
        let found = sources
            .iter()
            .find(|s| self.model.node(s.node).name == name);
        found.copied()
    }

    /// Replaces the layer that ends in `outlet`; gives what goes into it.
    fn layer(&mut self, outlet: OutletId, mask: OutletId) -> Result<OutletId, Miss> {
        let view = View { model: &self.model };
        let found = layer::layer(view, outlet)?;
        let name = format!("{}.layer", view.node(outlet).name);
        self.check_mask(found.mask)?;
        let op = EncoderLayer::new(found.layer);
        self.replace(outlet, &[found.input, mask], &name, op)?;
        self.fusion.layers += 1;
        Ok(found.input)
    }

    fn embeddings(&mut self, outlet: OutletId, mask: OutletId) -> Result<(), Miss> {
        let view = View { model: &self.model };
        let tables = embedding::embedding(
            view,
            outlet,
            self.sequence,
            self.positions,
            self.table.as_ref(),
        )?;
        let Some(ids) = self.source(crate::inputs::INPUT_IDS) else {
            return view.miss(outlet, "an input of token ids");
        };
        self.vocabulary = Some(tables.vocabulary());
        let name = format!("{}.embeddings", view.node(outlet).name);
        let op = EmbedTokens::new(tables);
        self.replace(outlet, &[ids, mask], &name, op)?;
        self.fusion.embeddings = true;
        Ok(())
    }

    /// The mask adds nothing to the scores of tokens, and enough to those of padding.
    fn check_mask(&mut self, outlet: OutletId) -> Result<(), Miss> {
        if self.masks.contains(&outlet) {
            return Ok(());
        }
        let view = View { model: &self.model };
        let wrong = || view.miss(outlet, "a mask made of nothing but the attention mask");
        if view.sources(outlet) != [ATTENTION_MASK] {
            return wrong();
        }
        let values = view.evaluate(outlet, self.sequence, 4, Some(&[1, 1, 1, 0]));
        let Ok(values) = values.and_then(|t| {
            Ok(t.to_plain_array_view::<f32>()?
                .iter()
                .copied()
                .collect::<Vec<_>>())
        }) else {
            return wrong();
        };
        let fits = |row: &[f32]| row[..3] == [0.0; 3] && row[3] < -1e3;
        if values.is_empty() || !values.len().is_multiple_of(4) || !values.chunks(4).all(fits) {
            return wrong();
        }
        self.masks.push(outlet);
        Ok(())
    }

    /// Linear layers that are no part of a layer.
    fn linears(&mut self) -> Result<()> {
        let order = self.model.eval_order().map_err(engine)?;
        for id in order {
            let outlet = OutletId::new(id, 0);
            if self.model.node(id).op.name() != "Add" {
                continue;
            }
            let view = View { model: &self.model };
            let found = match linear::linear(view, outlet) {
                Ok(found) => found,
                Err(Miss::Wrong(error)) => return Err(error),
                Err(_) => continue,
            };
            let packed = Linear::new(
                &found.name,
                found.inputs,
                &found.weights(),
                Activation::None,
            );
            let replaced = packed.map_err(Miss::from).and_then(|linear| {
                let name = format!("{}.linear", found.name);
                self.replace(outlet, &[found.input], &name, QuantizedLinear::new(linear))
            });
            match replaced {
                Ok(()) => self.fusion.linears += 1,
                Err(Miss::Wrong(error)) => return Err(error),
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn replace(
        &mut self,
        outlet: OutletId,
        inputs: &[OutletId],
        name: &str,
        op: impl Into<Box<dyn TypedOp>>,
    ) -> Result<(), Miss> {
        let patch = || {
            let mut patch = TypedModelPatch::new(name);
            let taps = patch.taps(&self.model, inputs)?;
            let wires = patch.wire_node(name, op, &taps)?;
            patch.shunt_outside(&self.model, outlet, wires[0])?;
            TractResult::Ok(patch)
        };
        let applied = patch().and_then(|patch| patch.apply(&mut self.model));
        applied.map_err(|e| Miss::Wrong(engine(e)))
    }

    /// Nodes that compute something and are none of ours.
    fn unfused(&self) -> usize {
        let fused = |node: &&TypedNode| {
            matches!(&*node.op.name(), "Source" | "Const" | "Cast" | "Identity")
                || node.op_is::<EncoderLayer>()
                || node.op_is::<EmbedTokens>()
                || node.op_is::<QuantizedLinear>()
        };
        self.model
            .nodes()
            .iter()
            .filter(|node| !fused(node))
            .count()
    }

    fn finish(mut self) -> Result<Fused> {
        self.fusion.unfused = self.unfused();
        Ok(Fused {
            model: self.model,
            fusion: self.fusion,
            vocabulary: self.vocabulary,
        })
    }
}

fn engine(error: TractError) -> Error {
    Error::Engine {
        step: "fusing layers".into(),
        reason: format!("{error:#}"),
    }
}
