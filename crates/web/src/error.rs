//! Errors of the runtime as JavaScript errors, with a `code` that programs can tell apart.

use js_sys::Reflect;
use nearshelf::{Error, ErrorKind};
use wasm_bindgen::JsValue;

/// The message as it is, and a code; `web/src/errors.js` makes a class of it.
pub fn to_js(error: impl Into<Error>) -> JsValue {
    let error = error.into();
    let js = js_sys::Error::new(&error.to_string());
    // Setting a property of a plain object cannot fail.
    let _ = Reflect::set(&js, &"code".into(), &code(error.kind()).into());
    js.into()
}

fn code(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Io | ErrorKind::Missing => "missing",
        ErrorKind::Damaged => "format",
        ErrorKind::Altered => "altered",
        ErrorKind::TooNew => "too-new",
        ErrorKind::Unsupported => "unsupported",
        ErrorKind::Usage => "query",
        ErrorKind::Encoding => "encoding",
    }
}
