//! An encoder without a shelf.

use js_sys::Uint8Array;
use nearshelf::{Encoded, Encoder as Inner, NETWORK_NAME};
use wasm_bindgen::prelude::*;

use crate::bytes::copied;
use crate::error::to_js;

/// A text as a unit vector.
#[wasm_bindgen]
pub struct Vector(Encoded);

impl From<Encoded> for Vector {
    fn from(encoded: Encoded) -> Self {
        Vector(encoded)
    }
}

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

    /// Tokens that stand for something that the encoder does not know.
    #[wasm_bindgen(getter)]
    pub fn unknown(&self) -> usize {
        self.0.unknown
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
    /// Opens a network file from its bytes. `checked` says that the caller compared them with their digest.
    ///
    /// # Errors
    /// Those of [`Inner::from_network`].
    #[wasm_bindgen(constructor)]
    pub fn new(network: &Uint8Array, checked: bool) -> Result<Encoder, JsValue> {
        let encoder = Inner::from_network(NETWORK_NAME, copied(network), checked);
        encoder.map(Encoder).map_err(to_js)
    }

    /// The unit vector of a text.
    ///
    /// # Errors
    /// Those of [`Inner::encode`].
    pub fn encode(&self, text: &str) -> Result<Vector, JsValue> {
        encode(&self.0, text)
    }

    /// The share of the encoder that runs fused, for people.
    pub fn fusion(&self) -> String {
        self.0.fusion().to_string()
    }
}

pub fn encode(encoder: &Inner, text: &str) -> Result<Vector, JsValue> {
    encoder.encode(text).map(Vector).map_err(to_js)
}
