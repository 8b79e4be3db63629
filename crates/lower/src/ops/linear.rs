//! The operator of a linear layer outside of encoder layers.

use nearshelf_kernels::{Isa, Linear};
use tract_onnx::tract_core::internal::*;

use super::shared::{Shared, with_scratch};

/// A linear layer outside of a recognised encoder layer: `[…, inputs]` → `[…, outputs]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QuantizedLinear(Shared<Linear>);

impl QuantizedLinear {
    pub fn new(linear: Linear) -> Self {
        QuantizedLinear(Shared::new(linear))
    }
}

impl Op for QuantizedLinear {
    fn name(&self) -> StaticName {
        "QuantizedLinear".into()
    }

    fn info(&self) -> TractResult<Vec<String>> {
        Ok(vec![format!("{} to {}", self.0.inputs(), self.0.outputs())])
    }

    op_as_typed_op!();
}

impl EvalOp for QuantizedLinear {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let x = args_1!(inputs);
        let mut shape: TVec<usize> = x.shape().into();
        let Some(last) = shape.last_mut() else {
            bail!("a linear layer has an input of at least one axis");
        };
        ensure!(
            *last == self.0.inputs(),
            "{last} inputs, expected {}",
            self.0.inputs()
        );
        *last = self.0.outputs();
        let mut out = Tensor::zero::<f32>(&shape)?;
        let mut plain = out.try_as_plain_ram_mut()?;
        let values = plain.as_slice_mut::<f32>()?;
        let x = x.try_as_plain_ram()?.as_slice::<f32>()?;
        ensure!(
            x.iter().all(|x| x.is_finite()),
            "an activation is not finite"
        );
        with_scratch(|scratch| self.0.run(Isa::detect(), x, values, scratch));
        Ok(tvec!(out.into_tvalue()))
    }
}

impl TypedOp for QuantizedLinear {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let mut shape = inputs[0].shape.to_tvec();
        if let Some(last) = shape.last_mut() {
            *last = self.0.outputs().to_dim();
        }
        Ok(tvec!(f32::fact(shape)))
    }

    as_op!();
}
