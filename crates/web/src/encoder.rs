use nearshelf::{Encoded, Encoder as Inner, ModelFiles};
use wasm_bindgen::prelude::*;

use crate::error::to_js;

/// A text as a unit vector.
#[wasm_bindgen]
pub struct Vector(Encoded);

#[wasm_bindgen]
impl Vector {
    /// The vector, `[dims]`.
    #[wasm_bindgen(getter)]
    pub fn values(&self) -> Vec<f32> {
        self.0.vector.clone()
    }

    /// Tokens that went into it.
    #[wasm_bindgen(getter)]
    pub fn tokens(&self) -> usize {
        self.0.tokens
    }

    /// Whether the text was longer than the encoder reads.
    #[wasm_bindgen(getter)]
    pub fn truncated(&self) -> bool {
        self.0.truncated()
    }
}

/// A sentence encoder without a shelf.
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
    ) -> Result<Encoder, JsValue> {
        let files = ModelFiles {
            config: config.as_deref(),
            model: model.into(),
            tokenizer: &tokenizer,
            checked,
        };
        Inner::from_bytes(files).map(Encoder).map_err(to_js)
    }

    /// The unit vector of a text.
    ///
    /// # Errors
    /// Those of [`Inner::encode`].
    pub fn encode(&self, text: &str) -> Result<Vector, JsValue> {
        encode(&self.0, text)
    }

    /// What of the model runs fused, for people.
    pub fn fusion(&self) -> String {
        self.0.fusion().to_string()
    }
}

pub fn encode(encoder: &Inner, text: &str) -> Result<Vector, JsValue> {
    encoder.encode(text).map(Vector).map_err(to_js)
}
