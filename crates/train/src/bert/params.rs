//! Where parameters lie: those of the embeddings and of each layer in one flat tensor each, so that an
//! operation has one gradient and the optimizer few, long arrays.

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor};

use crate::bert::shape::Sizes;

/// A layer's parameters, in the order in which they lie. Weights are `[out][in]`.
pub(crate) struct LayerParams<T> {
    pub qkv_weight: T,
    pub qkv_bias: T,
    pub out_weight: T,
    pub out_bias: T,
    pub norm1_weight: T,
    pub norm1_bias: T,
    pub in_weight: T,
    pub in_bias: T,
    pub down_weight: T,
    pub down_bias: T,
    pub norm2_weight: T,
    pub norm2_bias: T,
}

/// The parameters of the embeddings: tables of `[rows][hidden]` and a norm.
pub(crate) struct EmbeddingParams<T> {
    pub words: T,
    pub positions: T,
    pub types: T,
    pub norm_weight: T,
    pub norm_bias: T,
}

/// Something that can be cut in two.
pub(crate) trait Cut: Sized {
    fn cut(self, at: usize) -> (Self, Self);
}

impl Cut for &[f32] {
    fn cut(self, at: usize) -> (Self, Self) {
        self.split_at(at)
    }
}

impl Cut for &mut [f32] {
    fn cut(self, at: usize) -> (Self, Self) {
        self.split_at_mut(at)
    }
}

impl<T: Cut> LayerParams<T> {
    /// Cuts flat parameters.
    pub fn of(sizes: Sizes, flat: T) -> Self {
        let Sizes {
            hidden: h,
            inner: i,
            ..
        } = sizes;
        let (qkv_weight, rest) = flat.cut(3 * h * h);
        let (qkv_bias, rest) = rest.cut(3 * h);
        let (out_weight, rest) = rest.cut(h * h);
        let (out_bias, rest) = rest.cut(h);
        let (norm1_weight, rest) = rest.cut(h);
        let (norm1_bias, rest) = rest.cut(h);
        let (in_weight, rest) = rest.cut(i * h);
        let (in_bias, rest) = rest.cut(i);
        let (down_weight, rest) = rest.cut(h * i);
        let (down_bias, rest) = rest.cut(h);
        let (norm2_weight, norm2_bias) = rest.cut(h);
        LayerParams {
            qkv_weight,
            qkv_bias,
            out_weight,
            out_bias,
            norm1_weight,
            norm1_bias,
            in_weight,
            in_bias,
            down_weight,
            down_bias,
            norm2_weight,
            norm2_bias,
        }
    }
}

impl<T: Cut> EmbeddingParams<T> {
    /// Cuts flat parameters.
    pub fn of(sizes: Sizes, flat: T) -> Self {
        let h = sizes.hidden;
        let (words, rest) = flat.cut(sizes.vocabulary * h);
        let (positions, rest) = rest.cut(sizes.positions * h);
        let (types, rest) = rest.cut(sizes.types * h);
        let (norm_weight, norm_bias) = rest.cut(h);
        EmbeddingParams {
            words,
            positions,
            types,
            norm_weight,
            norm_bias,
        }
    }
}

/// A tensor of a checkpoint and where it lies in a flat parameter.
pub(crate) struct Named {
    pub name: String,
    pub shape: Vec<usize>,
}

impl Named {
    fn new(name: String, shape: &[usize]) -> Self {
        Named {
            name,
            shape: shape.to_vec(),
        }
    }

    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether weight decay applies: to matrices, not to biases and norms.
    pub fn decays(&self) -> bool {
        self.shape.len() > 1
    }
}

/// The tensors of the embeddings, by the names of Hugging Face's BERT, in the order in which they lie.
pub(crate) fn embedding_names(sizes: Sizes) -> Vec<Named> {
    let h = sizes.hidden;
    [
        ("word_embeddings.weight", &[sizes.vocabulary, h][..]),
        ("position_embeddings.weight", &[sizes.positions, h]),
        ("token_type_embeddings.weight", &[sizes.types, h]),
        ("LayerNorm.weight", &[h]),
        ("LayerNorm.bias", &[h]),
    ]
    .map(|(name, shape)| Named::new(format!("embeddings.{name}"), shape))
    .into()
}

/// The tensors of a layer.
pub(crate) fn layer_names(sizes: Sizes, layer: usize) -> Vec<Named> {
    let (h, i) = (sizes.hidden, sizes.inner);
    [
        ("attention.self.query.weight", &[h, h][..]),
        ("attention.self.key.weight", &[h, h]),
        ("attention.self.value.weight", &[h, h]),
        ("attention.self.query.bias", &[h]),
        ("attention.self.key.bias", &[h]),
        ("attention.self.value.bias", &[h]),
        ("attention.output.dense.weight", &[h, h]),
        ("attention.output.dense.bias", &[h]),
        ("attention.output.LayerNorm.weight", &[h]),
        ("attention.output.LayerNorm.bias", &[h]),
        ("intermediate.dense.weight", &[i, h]),
        ("intermediate.dense.bias", &[i]),
        ("output.dense.weight", &[h, i]),
        ("output.dense.bias", &[h]),
        ("output.LayerNorm.weight", &[h]),
        ("output.LayerNorm.bias", &[h]),
    ]
    .map(|(name, shape)| Named::new(format!("encoder.layer.{layer}.{name}"), shape))
    .into()
}

/// The numbers of a contiguous tensor on the CPU.
pub(crate) fn slice_of<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        candle_core::bail!("expected a contiguous tensor, found {layout:?}");
    };
    Ok(&storage.as_slice::<f32>()?[start..end])
}

/// Calls `work` with the numbers of a tensor on the CPU, which is made contiguous if need be.
pub(crate) fn host<R>(tensor: &Tensor, work: impl FnOnce(&[f32]) -> R) -> Result<R> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(work(slice_of(storage, layout)?)),
        _ => candle_core::bail!("expected a tensor on the CPU"),
    }
}
