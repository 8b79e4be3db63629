//! Checkpoints: all that a run needs to go on exactly where it was, in a directory that appears when it is
//! complete.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::bert::{Bert, host};
use crate::error::{Error, Result};
use crate::optimizer::AdamW;

/// Where a run is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// Digest of the run's recipe, base model and data.
    pub run: String,
    /// The stage, and updates made in it.
    pub stage: usize,
    pub step: usize,
    /// Updates of the optimizer.
    pub updates: usize,
    /// The best dev metric of the stage, the step that had it, and measurements since.
    pub best: Option<(f64, usize)>,
    pub since_best: usize,
}

impl Position {
    /// The beginning of a stage.
    pub fn start(run: String, stage: usize) -> Self {
        Position {
            run,
            stage,
            step: 0,
            updates: 0,
            best: None,
            since_best: 0,
        }
    }
}

/// The checkpoint that a run goes on from.
pub(crate) const LAST: &str = "last";
const STATE: &str = "state.json";
const TENSORS: &str = "tensors.safetensors";

/// Writes a checkpoint as `name` in `dir`; the one that had the name goes when the new one is complete.
pub(crate) fn save(
    dir: &Path,
    name: &str,
    position: &Position,
    bert: &Bert,
    optimizer: &AdamW,
) -> Result<()> {
    let (part, whole) = (dir.join(format!("{name}.part")), dir.join(name));
    let _ = fs::remove_dir_all(&part);
    let written = write(&part, position, bert, optimizer);
    if written.is_err() {
        let _ = fs::remove_dir_all(&part);
        return written;
    }
    let old = dir.join(format!("{name}.old"));
    let _ = fs::remove_dir_all(&old);
    let error = |e| Error::io(&whole, e);
    if whole.exists() {
        fs::rename(&whole, &old).map_err(error)?;
    }
    fs::rename(&part, &whole).map_err(error)?;
    let _ = fs::remove_dir_all(&old);
    Ok(())
}

fn write(part: &Path, position: &Position, bert: &Bert, optimizer: &AdamW) -> Result<()> {
    fs::create_dir_all(part).map_err(|e| Error::io(part, e))?;
    let mut tensors = HashMap::new();
    let flat = |x: &[f32]| Tensor::new(x, &Device::Cpu);
    for (number, (parameter, moments)) in
        bert.parameters().iter().zip(&optimizer.moments).enumerate()
    {
        let values = parameter.var.to_device(&Device::Cpu)?;
        tensors.insert(format!("parameter.{number}"), values);
        tensors.insert(format!("first.{number}"), flat(&moments.first)?);
        tensors.insert(format!("second.{number}"), flat(&moments.second)?);
    }
    let path = part.join(TENSORS);
    candle_core::safetensors::save(&tensors, &path)
        .map_err(|e| Error::io(&path, std::io::Error::other(e.to_string())))?;
    // On the disk before it counts as there.
    fs::File::open(&path)
        .and_then(|file| file.sync_all())
        .map_err(|e| Error::io(&path, e))?;
    let json = serde_json::to_vec_pretty(position).expect("a struct of plain fields");
    crate::tower::write_whole(&part.join(STATE), &json)
}

/// The position of the checkpoint `name`, if there is one; where only its predecessor is whole, that.
pub(crate) fn find(dir: &Path, name: &str) -> Result<Option<(PathBuf, Position)>> {
    for name in [name.to_owned(), format!("{name}.old")] {
        let path = dir.join(name);
        let state = path.join(STATE);
        match fs::read(&state) {
            Ok(json) => {
                let position = serde_json::from_slice(&json).map_err(|e| Error::Checkpoint {
                    path: state,
                    expected: "the state of a run".into(),
                    found: e.to_string(),
                })?;
                return Ok(Some((path, position)));
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(Error::io(&state, e)),
        }
    }
    Ok(None)
}

/// Puts a checkpoint's numbers into a model and, if it is wanted, its optimizer.
pub(crate) fn load(path: &Path, bert: &Bert, optimizer: Option<&mut AdamW>) -> Result<()> {
    let file = path.join(TENSORS);
    let error = |expected: String, found: String| Error::Checkpoint {
        path: file.clone(),
        expected,
        found,
    };
    let tensors = candle_core::safetensors::load(&file, &Device::Cpu)
        .map_err(|e| error("tensors".into(), e.to_string()))?;
    let get = |kind: &str, number: usize, length: usize| -> Result<&Tensor> {
        let name = format!("{kind}.{number}");
        let tensor = tensors
            .get(&name)
            .ok_or_else(|| error(format!("a tensor {name}"), "none".into()))?;
        if tensor.dims() != [length] {
            let found = format!("{:?}", tensor.dims());
            return Err(error(format!("{name} of {length} numbers"), found));
        }
        Ok(tensor)
    };
    let parameters = bert.parameters();
    for (number, parameter) in parameters.iter().enumerate() {
        let values = get("parameter", number, parameter.var.elem_count())?;
        parameter
            .var
            .set(&values.to_device(parameter.var.device())?)?;
    }
    if let Some(optimizer) = optimizer {
        for (number, moments) in optimizer.moments.iter_mut().enumerate() {
            let length = moments.first.len();
            moments.first = host(get("first", number, length)?, <[f32]>::to_vec)?;
            moments.second = host(get("second", number, length)?, <[f32]>::to_vec)?;
        }
    }
    Ok(())
}
