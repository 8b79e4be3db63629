//! Calls into libraries that read bytes from outside.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls into a library that reads bytes from outside. Should it panic on them, that is an error of
/// the bytes' and not the end of the process.
///
/// # Errors
/// Those of `call`, and a panic's message.
pub fn guarded<T, E: From<String>>(call: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let reason = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no reason given");
        Err(E::from(format!("the library panicked: {reason}")))
    })
}
