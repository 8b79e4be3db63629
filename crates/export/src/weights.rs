//! Weights in safetensors.

use std::fs::File;
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use memmap2::Mmap;
use safetensors::{Dtype, SafeTensors};

use crate::error::{Error, Result};

/// The tensors of a `model.safetensors`, converted to f32 as they are asked for.
pub(crate) struct Weights {
    path: PathBuf,
    bytes: Mmap,
}

impl Weights {
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io(path, e))?;
        // SAFETY: the map is only read. Another process that shortens the file meanwhile would end
        // this one with SIGBUS, as with every mapped file; an export is a batch job that can rerun.
        let bytes = unsafe { Mmap::map(&file) }.map_err(|e| Error::io(path, e))?;
        let weights = Weights {
            path: path.to_owned(),
            bytes,
        };
        weights.tensors()?;
        Ok(weights)
    }

    fn tensors(&self) -> Result<SafeTensors<'_>> {
        SafeTensors::deserialize(&self.bytes).map_err(|e| Error::Safetensors {
            path: self.path.clone(),
            reason: e.to_string(),
        })
    }

    /// A tensor of exactly this shape, row-major. Names are looked up with and without `bert.`.
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let error = |expected: String, found: String| Error::Tensor {
            path: self.path.clone(),
            tensor: name.to_owned(),
            expected,
            found,
        };
        let tensors = self.tensors()?;
        let view = tensors
            .tensor(name)
            .or_else(|_| tensors.tensor(&format!("bert.{name}")))
            .map_err(|_| {
                let mut names = tensors.names();
                names.sort_unstable();
                let first: Vec<_> = names.iter().take(3).collect();
                error(
                    "a tensor of this name".into(),
                    format!("{first:?} and others"),
                )
            })?;
        if view.shape() != shape {
            return Err(error(
                format!("shape {shape:?}"),
                format!("{:?}", view.shape()),
            ));
        }
        let data = view.data();
        let values: Vec<f32> = match view.dtype() {
            Dtype::F32 => data
                .as_chunks()
                .0
                .iter()
                .map(|&b| f32::from_le_bytes(b))
                .collect(),
            Dtype::F16 => data
                .as_chunks()
                .0
                .iter()
                .map(|&b| f16::from_le_bytes(b).into())
                .collect(),
            Dtype::BF16 => data
                .as_chunks()
                .0
                .iter()
                .map(|&b| bf16::from_le_bytes(b).into())
                .collect(),
            other => return Err(error("F32, F16 or BF16".into(), format!("{other:?}"))),
        };
        match values.iter().position(|x| !x.is_finite()) {
            None => Ok(values),
            Some(at) => Err(error(
                "finite numbers".into(),
                format!("{} at element {at}", values[at]),
            )),
        }
    }
}
