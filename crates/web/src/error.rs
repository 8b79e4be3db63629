//! Errors of the runtime as JavaScript errors, with a `code` that programs can tell apart.

use js_sys::Reflect;
use nearshelf::{CatalogError, EncoderError, Error, ShardError};
use wasm_bindgen::JsValue;

/// The message as it is, and a code; `web/src/errors.js` makes a class of it.
pub fn to_js(error: impl Into<Error>) -> JsValue {
    let error = error.into();
    let js = js_sys::Error::new(&error.to_string());
    // Setting a property of a plain object cannot fail.
    let _ = Reflect::set(&js, &"code".into(), &code(&error).into());
    js.into()
}

fn code(error: &Error) -> &'static str {
    match error {
        Error::Catalog(CatalogError::TooNew { .. }) => "too-new",
        Error::Catalog(CatalogError::Shard {
            source: ShardError::TooNew { .. },
            ..
        }) => "too-new",
        Error::Catalog(CatalogError::Query { .. }) => "query",
        Error::Catalog(CatalogError::Length { .. } | CatalogError::Digest { .. })
        | Error::Encoder(EncoderError::Digest { .. }) => "altered",
        Error::Missing { .. } => "missing",
        Error::Encoder(EncoderError::NotFinite { .. }) => "encoding",
        _ => "format",
    }
}
