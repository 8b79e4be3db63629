//! The operator of embeddings.

use nearshelf_kernels::{Isa, embed};
use tract_onnx::tract_core::internal::*;

use super::shared::{Shared, texts};
use nearshelf_network::Tables;

/// Embeddings and their layer norm: (token ids `[1, tokens]`, attention mask) → hidden
/// `[1, tokens, channels]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EmbedTokens(Shared<Tables>);

impl EmbedTokens {
    pub fn new(tables: Tables) -> Self {
        EmbedTokens(Shared::new(tables))
    }

    pub fn tables(&self) -> &Tables {
        &self.0
    }
}

impl Op for EmbedTokens {
    fn name(&self) -> StaticName {
        "EmbedTokens".into()
    }

    op_as_typed_op!();
}

impl EvalOp for EmbedTokens {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let [ids, mask] = &inputs[..] else {
            bail!("embeddings have two inputs");
        };
        let ids = ids.try_as_plain_ram()?.as_slice::<i64>()?;
        let texts = texts(mask.try_as_plain_ram()?.as_slice::<i64>()?);
        // Each text starts at position 0; padding stays there.
        let mut positions = vec![0; ids.len()];
        for text in texts {
            for (position, at) in text.enumerate() {
                positions[at] = position;
            }
        }
        let tokens = ids.iter().zip(positions);
        let tokens =
            tokens.map(|(&id, position)| (usize::try_from(id).unwrap_or(usize::MAX), position));
        let mut out = Tensor::zero::<f32>(&[1, ids.len(), self.0.channels()])?;
        let mut plain = out.try_as_plain_ram_mut()?;
        let values = plain.as_slice_mut::<f32>()?;
        embed(Isa::detect(), &self.0.view(), tokens, values)?;
        Ok(tvec!(out.into_tvalue()))
    }
}

impl TypedOp for EmbedTokens {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let mut shape = inputs[0].shape.to_tvec();
        shape.push(self.0.channels().to_dim());
        Ok(tvec!(f32::fact(shape)))
    }

    as_op!();
}
