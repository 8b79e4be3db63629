//! What JavaScript sees of the runtime. xtask compiles it twice, with simd128 and with relaxed-simd.

use nearshelf::{Encoder as Inner, Isa, ModelFiles};
use wasm_bindgen::prelude::*;

/// A sentence encoder.
#[wasm_bindgen]
pub struct Encoder(Inner);

#[wasm_bindgen]
impl Encoder {
    /// Opens a model from the bytes of `model.onnx`, `tokenizer.json` and `encoder.json`. `checked` says
    /// that the caller compared them with their digests.
    ///
    /// # Errors
    /// Those of [`Inner::from_bytes`].
    #[wasm_bindgen(constructor)]
    pub fn new(
        model: Vec<u8>,
        tokenizer: Vec<u8>,
        config: Option<Vec<u8>>,
        checked: bool,
    ) -> Result<Encoder, JsError> {
        let files = ModelFiles {
            config: config.as_deref(),
            model: model.into(),
            tokenizer: &tokenizer,
            checked,
        };
        Ok(Encoder(Inner::from_bytes(files)?))
    }

    /// The unit vector of a text.
    ///
    /// # Errors
    /// Those of [`Inner::encode`].
    pub fn encode(&self, text: &str) -> Result<Vec<f32>, JsError> {
        Ok(self.0.encode(text)?.vector)
    }

    /// What of the model runs fused, for people.
    pub fn fusion(&self) -> String {
        self.0.fusion().to_string()
    }
}

/// The instruction set that the module runs on: `simd128` or `relaxed-simd`.
#[wasm_bindgen]
pub fn isa() -> String {
    Isa::detect().name().to_owned()
}
