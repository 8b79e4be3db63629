//! The library's version, and that of its ABI.

use std::ffi::c_char;

/// The version of the ABI: what a program passes to `nearshelf_open`, so that one that was compiled with another
/// header than its library's is told so.
pub const NEARSHELF_ABI: u32 = 1;

/// The library's version, for example "0.1.0". Static: never freed.
#[unsafe(no_mangle)]
pub extern "C" fn nearshelf_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// The library's own NEARSHELF_ABI.
#[unsafe(no_mangle)]
pub extern "C" fn nearshelf_abi() -> u32 {
    NEARSHELF_ABI
}
