//! The runtime as JavaScript sees it: a shelf that is given its files one by one. `web/src` fetches them and
//! makes of it the API that people use. xtask compiles this twice, with simd128 and with relaxed-simd.

mod bytes;
mod encoder;
mod error;
mod shelf;

use nearshelf::Isa;
use wasm_bindgen::prelude::*;

pub use encoder::{Encoder, Vector};
pub use shelf::Shelf;

/// The instruction set that the module runs on: `simd128` or `relaxed-simd`.
#[wasm_bindgen]
pub fn isa() -> String {
    Isa::detect().name().to_owned()
}

/// The SHA-256 of bytes in hexadecimal, for pages that have no WebCrypto: those of plain http.
#[wasm_bindgen]
pub fn sha256(bytes: &[u8]) -> String {
    nearshelf::sha256(bytes).to_string()
}

/// The module's memory, to write files to. Not called `memory`: the memory itself is exported under that name.
#[wasm_bindgen(js_name = moduleMemory)]
pub fn module_memory() -> JsValue {
    wasm_bindgen::memory()
}

/// Bytes that the module's memory takes: the most that it ever took, as it does not shrink.
#[wasm_bindgen(js_name = memoryBytes)]
pub fn memory_bytes() -> f64 {
    #[cfg(target_arch = "wasm32")]
    return core::arch::wasm32::memory_size(0) as f64 * 65536.0;
    #[cfg(not(target_arch = "wasm32"))]
    f64::NAN
}
