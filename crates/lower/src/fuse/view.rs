//! Questions about a typed graph: what made this value, what does it hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::DimLike;
use tract_onnx::tract_core::ops::change_axes::AxisOp;
use tract_onnx::tract_core::ops::einsum::EinSum;

use crate::error::Error;

/// Why a part of the graph is not what was looked for.
#[derive(Debug)]
pub(crate) enum Miss {
    /// It is something else, which can run as it is.
    Other {
        /// The node that differs.
        node: String,
        /// The part that it would have had to be.
        expected: String,
    },
    /// It is what was looked for, with weights that nothing can run.
    Wrong(Error),
}

impl From<nearshelf_network::Error> for Miss {
    fn from(error: nearshelf_network::Error) -> Self {
        match error {
            nearshelf_network::Error::Kernel(error) => error.into(),
            other => Miss::Other {
                node: "embeddings".into(),
                expected: other.to_string(),
            },
        }
    }
}

impl From<nearshelf_kernels::Error> for Miss {
    fn from(error: nearshelf_kernels::Error) -> Self {
        use nearshelf_kernels::Error as Kernel;
        match error {
            Kernel::Value {
                part,
                expected,
                found,
            } => Miss::Wrong(Error::Model {
                place: format!("node {part}"),
                expected,
                found,
            }),
            Kernel::Shape {
                part,
                expected,
                found,
            } => Miss::Other {
                node: part,
                expected: format!("{expected} (found {found})"),
            },
            other => Miss::Other {
                node: String::new(),
                expected: other.to_string(),
            },
        }
    }
}

pub(crate) type Found<T> = Result<T, Miss>;

#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub model: &'a TypedModel,
}

impl<'a> View<'a> {
    pub fn node(self, outlet: OutletId) -> &'a TypedNode {
        self.model.node(outlet.node)
    }

    /// A miss at the node of `outlet`.
    pub fn miss<T>(self, outlet: OutletId, expected: &str) -> Found<T> {
        Err(Miss::Other {
            node: self.node(outlet).name.clone(),
            expected: expected.to_owned(),
        })
    }

    pub fn fact(self, outlet: OutletId) -> &'a TypedFact {
        &self.node(outlet).outputs[outlet.slot].fact
    }

    /// The dimensions that are known numbers; symbols are `None`.
    pub fn dims(self, outlet: OutletId) -> Vec<Option<usize>> {
        let dims = self.fact(outlet).shape.iter();
        dims.map(|d| d.to_usize().ok()).collect()
    }

    /// The last dimension.
    pub fn width(self, outlet: OutletId) -> Option<usize> {
        self.dims(outlet).last().copied().flatten()
    }

    /// The same value without casts to its own type and other nodes that change nothing.
    pub fn skip(self, mut outlet: OutletId) -> OutletId {
        loop {
            let node = self.node(outlet);
            let same_type = |input: OutletId| {
                self.fact(input).datum_type == self.fact(outlet).datum_type
                    && self.fact(input).shape == self.fact(outlet).shape
            };
            match (&*node.op.name(), &node.inputs[..]) {
                ("Cast" | "Identity" | "Noop", &[input]) if same_type(input) => outlet = input,
                _ => return outlet,
            }
        }
    }

    /// Whether the node of `outlet` does nothing but rearrange axes.
    pub fn is_axes(self, outlet: OutletId) -> bool {
        let node = self.node(outlet);
        node.op_is::<AxisOp>() || node.op.name() == "Reshape"
    }

    /// The same elements without changes of their shape.
    pub fn unshaped(self, outlet: OutletId) -> OutletId {
        let mut outlet = self.skip(outlet);
        while self.is_axes(outlet) {
            outlet = self.skip(self.node(outlet).inputs[0]);
        }
        outlet
    }

    /// The tensor that a constant value holds, whatever shape it was given since.
    pub fn constant(self, outlet: OutletId) -> Option<Arc<Tensor>> {
        if let Some(tensor) = &self.fact(outlet).konst {
            return Some(tensor.clone());
        }
        let inner = self.skip(outlet);
        if let Some(tensor) = &self.fact(inner).konst {
            return Some(tensor.clone());
        }
        // Only axes of length 1 are added and removed: the order of the elements stays.
        let node = self.node(inner);
        match node.op_as::<AxisOp>() {
            Some(AxisOp::Add(_) | AxisOp::Rm(_)) => self.constant(node.inputs[0]),
            _ => None,
        }
    }

    /// A constant's elements as f32.
    pub fn floats(self, outlet: OutletId) -> Option<Vec<f32>> {
        let tensor = self.constant(outlet)?;
        let tensor = tensor.cast_to::<f32>().ok()?;
        Some(
            tensor
                .to_plain_array_view::<f32>()
                .ok()?
                .iter()
                .copied()
                .collect(),
        )
    }

    /// A constant of one value.
    pub fn scalar(self, outlet: OutletId) -> Option<f32> {
        let tensor = self.constant(outlet)?;
        if tensor.len() != 1 {
            return None;
        }
        tensor.cast_to_scalar::<f32>().ok()
    }

    /// The inputs of the node called `op` behind `outlet`.
    pub fn inputs(self, outlet: OutletId, op: &str) -> Option<&'a [OutletId]> {
        let node = self.node(self.skip(outlet));
        (node.op.name() == op).then_some(&node.inputs)
    }

    pub fn unary(self, outlet: OutletId, op: &str) -> Option<OutletId> {
        match self.inputs(outlet, op)? {
            &[input] => Some(input),
            _ => None,
        }
    }

    pub fn binary(self, outlet: OutletId, op: &str) -> Option<(OutletId, OutletId)> {
        match self.inputs(outlet, op)? {
            &[a, b] => Some((a, b)),
            _ => None,
        }
    }

    /// A commutative node of a value and a constant.
    pub fn with_constant(self, outlet: OutletId, op: &str) -> Option<(OutletId, Vec<f32>)> {
        let (a, b) = self.binary(outlet, op)?;
        match (self.constant(a), self.constant(b)) {
            (None, Some(_)) => Some((a, self.floats(b)?)),
            (Some(_), None) => Some((b, self.floats(a)?)),
            _ => None,
        }
    }

    /// The value and the constant it is multiplied with or divided by.
    pub fn scaled(self, outlet: OutletId) -> Option<(OutletId, f32)> {
        if let Some((x, by)) = self.with_constant(outlet, "Mul")
            && let [by] = by[..]
        {
            return Some((x, by));
        }
        let (x, by) = self.binary(outlet, "Div")?;
        Some((x, 1.0 / self.scalar(by)?))
    }

    /// The leaves of a tree of multiplications.
    pub fn factors(self, outlet: OutletId) -> Vec<OutletId> {
        match self.binary(outlet, "Mul") {
            None => vec![self.skip(outlet)],
            Some((a, b)) => {
                let mut factors = self.factors(a);
                factors.extend(self.factors(b));
                factors
            }
        }
    }

    pub fn einsum(self, outlet: OutletId) -> Option<(&'a TypedNode, &'a EinSum)> {
        let node = self.node(self.skip(outlet));
        Some((node, node.op_as::<EinSum>()?))
    }

    /// The names of the sources that a value is made of.
    pub fn sources(self, outlet: OutletId) -> Vec<&'a str> {
        let mut seen = vec![false; self.model.nodes().len()];
        let mut found = Vec::new();
        let mut next = vec![outlet.node];
        while let Some(id) = next.pop() {
            if std::mem::replace(&mut seen[id], true) {
                continue;
            }
            let node = self.model.node(id);
            if node.op.name() == "Source" {
                found.push(node.name.as_str());
            }
            next.extend(node.inputs.iter().map(|input| input.node));
        }
        found
    }

    /// Copies a node and all that it is made of to another model; its number there.
    fn copy(
        self,
        id: usize,
        to: &mut TypedModel,
        copies: &mut BTreeMap<usize, usize>,
    ) -> TractResult<usize> {
        // What is to be copied, and whether its inputs already are.
        let mut next = vec![(id, false)];
        while let Some((id, ready)) = next.pop() {
            if copies.contains_key(&id) {
                continue;
            }
            let node = self.model.node(id);
            if !ready {
                next.push((id, true));
                next.extend(node.inputs.iter().map(|input| (input.node, false)));
                continue;
            }
            let facts = node.outputs.iter().map(|output| output.fact.clone());
            let copy = to.add_node(
                node.name.clone(),
                node.op.clone(),
                facts.collect::<TVec<_>>(),
            )?;
            for (slot, input) in node.inputs.iter().enumerate() {
                let from = OutletId::new(copies[&input.node], input.slot);
                to.add_edge(from, InletId::new(copy, slot))?;
            }
            if node.op.name() == "Source" {
                to.inputs.push(OutletId::new(copy, 0));
            }
            copies.insert(id, copy);
        }
        Ok(copies[&id])
    }

    /// Runs the part of the graph that makes `outlet`, on texts of `tokens` tokens; `feed` gives the
    /// values of the one source that it may have.
    pub fn evaluate(
        self,
        outlet: OutletId,
        sequence: &Symbol,
        tokens: usize,
        feed: Option<&[i64]>,
    ) -> TractResult<Tensor> {
        let mut part = TypedModel {
            symbols: self.model.symbols.clone(),
            ..TypedModel::default()
        };
        let mut copies = BTreeMap::new();
        let copy = self.copy(outlet.node, &mut part, &mut copies)?;
        part.select_output_outlets(&[OutletId::new(copy, outlet.slot)])?;
        let used = part.input_outlets()?.len();
        let known = [(sequence.clone(), tokens.to_dim())].into_iter().collect();
        let plan = part.set_symbols(&known)?.into_runnable()?;
        let inputs = (0..used).map(|_| {
            let values = feed.unwrap_or_default();
            Ok(Tensor::from_shape(&[1, tokens], values)?.into_tvalue())
        });
        let inputs = inputs.collect::<TractResult<TVec<TValue>>>()?;
        let mut outputs = plan.run(inputs)?;
        Ok(outputs.remove(0).into_tensor())
    }
}

/// Where an axis that both operands of a product share, and the result does not, lies in each.
pub(crate) fn contracted(op: &EinSum) -> Option<(usize, usize)> {
    let mut shared = op.axes.iter_all_axes().filter_map(|axis| {
        match (
            &axis.inputs[0][..],
            &axis.inputs[1][..],
            &axis.outputs[0][..],
        ) {
            (&[a], &[b], []) => Some((a, b)),
            _ => None,
        }
    });
    let found = shared.next()?;
    shared.next().is_none().then_some(found)
}

/// Where the axis `position` of the result comes from in operand `input`.
pub(crate) fn origin(op: &EinSum, position: usize, input: usize) -> Option<usize> {
    op.axes
        .iter_all_axes()
        .find(|axis| axis.outputs[0].contains(&position))
        .and_then(|axis| axis.inputs[input].first().copied())
}
