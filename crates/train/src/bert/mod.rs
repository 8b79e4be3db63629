//! A BERT (Devlin et al. 2019) that can be trained, over packed texts: the tokens of a batch lie one text
//! after the other, without padding.

mod attention;
mod composed;
mod embed;
mod gemm;
mod layer;
mod math;
mod norm;
mod packed;
mod params;
mod pool;
mod rows;
mod shape;

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor, Var};
use nearshelf_encoder::Pooling;
use nearshelf_export::BertConfig;

use crate::error::{Error, Result};
use params::{Named, embedding_names, layer_names};

pub(crate) use gemm::{Into, Matrix, multiply};
pub use packed::Packed;
pub(crate) use params::host;
pub use shape::Sizes;

/// The parameters of a BERT.
pub struct Bert {
    config: BertConfig,
    sizes: Sizes,
    device: Device,
    embeddings: Var,
    layers: Vec<Var>,
}

/// A parameter, with what the optimizer has to know of it.
pub(crate) struct Parameter<'a> {
    pub var: &'a Var,
    /// Lengths of its tensors, in order, and whether weight decay applies to each.
    pub parts: Vec<(usize, bool)>,
}

impl Bert {
    /// Reads `config.json` and `model.safetensors` of a directory.
    ///
    /// # Errors
    /// A file that is missing, damaged or of another kind of network; a tensor that is missing, of
    /// another shape, or not finite.
    pub fn load(dir: &Path, device: &Device) -> Result<Self> {
        let config = BertConfig::read(&dir.join("config.json"))?;
        if config.hidden_act != "gelu" {
            return Err(Error::Base {
                path: dir.join("config.json"),
                expected: "hidden_act \"gelu\"".into(),
                found: config.hidden_act,
            });
        }
        let path = dir.join("model.safetensors");
        let tensors =
            candle_core::safetensors::load(&path, &Device::Cpu).map_err(|e| Error::Base {
                path: path.clone(),
                expected: "tensors".into(),
                found: e.to_string(),
            })?;
        Self::from_tensors(config, &tensors, &path, device)
    }

    /// Makes a BERT of tensors with the names of Hugging Face's, with `bert.` before them or without.
    pub(crate) fn from_tensors(
        config: BertConfig,
        tensors: &HashMap<String, Tensor>,
        path: &Path,
        device: &Device,
    ) -> Result<Self> {
        let sizes = Sizes::of(&config);
        let flat = |names: &[Named]| -> Result<Var> {
            let mut all = Vec::with_capacity(names.iter().map(Named::len).sum());
            for named in names {
                let error = |expected: String, found: String| Error::Base {
                    path: path.to_owned(),
                    expected,
                    found,
                };
                let name = &named.name;
                let tensor = tensors
                    .get(name)
                    .or_else(|| tensors.get(&format!("bert.{name}")))
                    .ok_or_else(|| error(format!("a tensor {name}"), "none".into()))?;
                if tensor.dims() != named.shape {
                    let expected = format!("{name} of shape {:?}", named.shape);
                    return Err(error(expected, format!("{:?}", tensor.dims())));
                }
                let values = host(&tensor.to_dtype(DType::F32)?, <[f32]>::to_vec)?;
                if let Some(x) = values.iter().find(|x| !x.is_finite()) {
                    return Err(error(format!("{name} of finite numbers"), x.to_string()));
                }
                all.extend(values);
            }
            let count = all.len();
            Ok(Var::from_vec(all, count, device)?)
        };
        let embeddings = flat(&embedding_names(sizes))?;
        let layers = (0..sizes.layers)
            .map(|layer| flat(&layer_names(sizes, layer)))
            .collect::<Result<_>>()?;
        Ok(Bert {
            config,
            sizes,
            device: device.clone(),
            embeddings,
            layers,
        })
    }

    /// The parameters as tensors with the names of Hugging Face's BERT.
    ///
    /// # Errors
    /// What the device says.
    pub fn tensors(&self) -> Result<HashMap<String, Tensor>> {
        let mut tensors = HashMap::new();
        let mut cut = |var: &Var, names: Vec<Named>| -> Result<()> {
            let flat = var.as_tensor().to_device(&Device::Cpu)?;
            let mut start = 0;
            for named in names {
                let tensor = flat.narrow(0, start, named.len())?;
                start += named.len();
                tensors.insert(named.name, tensor.reshape(named.shape)?.copy()?);
            }
            Ok(())
        };
        cut(&self.embeddings, embedding_names(self.sizes))?;
        for (number, layer) in self.layers.iter().enumerate() {
            cut(layer, layer_names(self.sizes, number))?;
        }
        Ok(tensors)
    }

    /// The sizes.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// As `config.json` has it.
    pub fn config(&self) -> &BertConfig {
        &self.config
    }

    /// Where the parameters are.
    pub fn device(&self) -> &Device {
        &self.device
    }

    fn network(&self) -> composed::Network<'_> {
        composed::Network {
            sizes: self.sizes,
            device: &self.device,
            embeddings: &self.embeddings,
            layers: &self.layers,
        }
    }

    pub(crate) fn parameters(&self) -> Vec<Parameter<'_>> {
        let parts = |names: Vec<Named>| names.iter().map(|n| (n.len(), n.decays())).collect();
        let mut all = vec![Parameter {
            var: &self.embeddings,
            parts: parts(embedding_names(self.sizes)),
        }];
        for (number, var) in self.layers.iter().enumerate() {
            all.push(Parameter {
                var,
                parts: parts(layer_names(self.sizes, number)),
            });
        }
        all
    }

    /// Token vectors `[tokens, hidden]`. Without `training` nothing is kept for a backward pass.
    ///
    /// # Errors
    /// A text longer than there are positions, an id outside the vocabulary.
    pub fn forward(&self, texts: &Packed, training: bool) -> Result<Tensor> {
        let Sizes {
            positions,
            vocabulary,
            ..
        } = self.sizes;
        if let Some(&length) = texts.lengths.iter().find(|&&l| l > positions || l == 0) {
            return Err(Error::Text {
                expected: format!("1 to {positions} tokens"),
                found: length.to_string(),
            });
        }
        if let Some(&id) = texts.ids.iter().find(|&&id| id as usize >= vocabulary) {
            return Err(Error::Text {
                expected: format!("ids below {vocabulary}"),
                found: id.to_string(),
            });
        }
        if !self.device.is_cpu() {
            return Ok(composed::forward(self.network(), texts)?);
        }
        let embed = embed::Embed::new(self.sizes, texts.ids.clone(), texts.places(), training);
        let mut hidden = match training {
            true => self.embeddings.apply_op1(embed)?,
            false => self.embeddings.apply_op1_no_bwd(&embed)?,
        };
        for parameters in &self.layers {
            let layer = layer::Layer::new(self.sizes, texts.lengths.clone(), training);
            hidden = match training {
                true => hidden.apply_op2(parameters, layer)?,
                false => hidden.apply_op2_no_bwd(parameters, &layer)?,
            };
        }
        Ok(hidden)
    }

    /// Token vectors `[tokens, hidden]` to one vector a text, `[texts, hidden]`.
    ///
    /// # Errors
    /// What the device says.
    pub fn pool(&self, hidden: &Tensor, texts: &Packed, pooling: Pooling) -> Result<Tensor> {
        if self.device.is_cpu() {
            let lengths = texts.lengths.clone();
            return Ok(hidden.apply_op1(pool::Pool { lengths, pooling })?);
        }
        Ok(composed::pool(hidden, texts, pooling)?)
    }
}

#[cfg(test)]
pub(crate) mod tests;
