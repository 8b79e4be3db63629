//! Bytes from JavaScript.

use js_sys::Uint8Array;
use nearshelf::Bytes;

/// A copy in the module's memory, at an address that numbers can be read from in place.
pub fn copied(bytes: &Uint8Array) -> Bytes {
    Bytes::filled(bytes.length() as usize, |copy| bytes.copy_to(copy))
}
