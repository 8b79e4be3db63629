//! The operator of an encoder layer.

use nearshelf_kernels::{Isa, Layer};
use tract_onnx::tract_core::internal::*;

use super::shared::{Shared, texts, with_scratch};

/// A whole encoder layer: (hidden `[1, tokens, channels]`, attention mask `[1, tokens]`) → hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EncoderLayer(Shared<Layer>);

impl EncoderLayer {
    pub fn new(layer: Layer) -> Self {
        EncoderLayer(Shared::new(layer))
    }

    pub fn layer(&self) -> &Layer {
        &self.0
    }
}

impl Op for EncoderLayer {
    fn name(&self) -> StaticName {
        "EncoderLayer".into()
    }

    fn info(&self) -> TractResult<Vec<String>> {
        let layer = &self.0;
        Ok(vec![format!(
            "{} channels, {} heads, {} intermediate, {} bytes",
            layer.channels(),
            layer.heads(),
            layer.intermediate(),
            layer.bytes()
        )])
    }

    op_as_typed_op!();
}

impl EvalOp for EncoderLayer {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, mut inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let (mask, hidden) = (inputs.pop(), inputs.pop());
        let (Some(mask), Some(hidden)) = (mask, hidden) else {
            bail!("a layer has two inputs");
        };
        let texts = texts(mask.try_as_plain_ram()?.as_slice::<i64>()?);
        // The layer before has no more use for its result: it is worked on in place.
        let mut hidden = hidden.into_tensor();
        ensure!(
            mask.len() * self.0.channels() == hidden.len(),
            "a mask for each token"
        );
        let mut plain = hidden.try_as_plain_ram_mut()?;
        let values = plain.as_slice_mut::<f32>()?;
        with_scratch(|scratch| self.0.run(Isa::detect(), values, &texts, scratch));
        Ok(tvec!(hidden.into_tvalue()))
    }
}

impl TypedOp for EncoderLayer {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(inputs[0].without_value()))
    }

    as_op!();
}
