//! The base model as nearshelf exports it, and as ONNX Runtime wants it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use nearshelf_export::{Precision, export};
use xtask::setup;
use xtask::shell::{cache, output, root};

/// The folder of the base model's export.
pub fn exported(base: &Path, precision: Precision) -> Result<PathBuf> {
    let name = match precision {
        Precision::F32 => "f32",
        Precision::Int8 => "int8",
    };
    let out = cache().join("models").join(name);
    export(base, &out, precision, &[])?;
    Ok(out)
}

/// The base model in the form that ONNX Runtime's kernels want: what its own quantizer makes of the f32 one.
pub fn onnxruntime_int8() -> Result<PathBuf> {
    let python = setup::python()?;
    let f32 = exported(&setup::base_model(&python)?, Precision::F32)?;
    let quantized = f32.join("onnxruntime-int8.onnx");
    let quantizer = root().join("tests/reference/quantize.py");
    let arguments = [quantizer, f32.join("model.onnx"), quantized.clone()];
    output(Command::new(&python).args(arguments))?;
    Ok(quantized)
}
