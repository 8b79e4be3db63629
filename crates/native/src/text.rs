//! Pointers from the caller, looked at before they are used.

use std::ffi::{CStr, c_char};

use crate::error::{NearshelfStatus, Outcome, failure};

/// As a length: the text ends with a NUL.
pub const NEARSHELF_NUL_TERMINATED: usize = usize::MAX;

/// A text in UTF-8 that lies in the shelf: valid until the shelf is closed; it does not end with a NUL.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct NearshelfText {
    /// The first byte.
    pub data: *const c_char,
    /// Bytes.
    pub length: usize,
}

impl NearshelfText {
    pub(crate) fn of(text: &str) -> Self {
        NearshelfText {
            data: text.as_ptr().cast(),
            length: text.len(),
        }
    }

    pub(crate) fn none() -> Self {
        NearshelfText::of("")
    }
}

/// Whether a pointer can be one to a `T`.
pub(crate) fn checked<T>(name: &str, pointer: *const T) -> Outcome {
    if pointer.is_null() {
        return failure(
            NearshelfStatus::NullPointer,
            format!("{name}: expected a pointer, found NULL"),
        );
    }
    if !pointer.is_aligned() {
        return failure(
            NearshelfStatus::InvalidArgument,
            format!(
                "{name}: expected an address that is a multiple of {}, found {pointer:p}",
                align_of::<T>()
            ),
        );
    }
    Ok(())
}

/// # Safety
/// A pointer that is not NULL points to room for a `T` that nothing else uses as long as `'a`.
pub(crate) unsafe fn room<'a, T>(name: &str, pointer: *mut T) -> Outcome<&'a mut T> {
    checked(name, pointer.cast_const())?;
    // SAFETY: not NULL, aligned, and by the caller's word room for a T of its own.
    Ok(unsafe { &mut *pointer })
}

/// # Safety
/// A pointer that is not NULL points to `length` values that live as long as `'a`.
pub(crate) unsafe fn slice<'a, T>(
    name: &str,
    pointer: *const T,
    length: usize,
) -> Outcome<&'a [T]> {
    if length == 0 {
        return Ok(&[]);
    }
    checked(name, pointer)?;
    if length > isize::MAX as usize / size_of::<T>().max(1) {
        return failure(
            NearshelfStatus::InvalidArgument,
            format!("{name}: expected a length that memory can hold, found {length}"),
        );
    }
    // SAFETY: not NULL, aligned, of a possible length, and by the caller's word as many values.
    Ok(unsafe { std::slice::from_raw_parts(pointer, length) })
}

/// # Safety
/// A pointer that is not NULL points to `length` bytes, or to a text with a NUL at its end, that live as long as
/// `'a`.
pub(crate) unsafe fn text<'a>(
    name: &str,
    pointer: *const c_char,
    length: usize,
) -> Outcome<&'a str> {
    let bytes = if length == NEARSHELF_NUL_TERMINATED {
        checked(name, pointer)?;
        // SAFETY: not NULL, and by the caller's word with a NUL at its end.
        unsafe { CStr::from_ptr(pointer) }.to_bytes()
    } else {
        // SAFETY: the caller's word is that of `slice`.
        unsafe { slice(name, pointer.cast::<u8>(), length) }?
    };
    std::str::from_utf8(bytes).or_else(|error| {
        let message = format!(
            "{name}: expected UTF-8, found other bytes at {}",
            error.valid_up_to()
        );
        failure(NearshelfStatus::InvalidUtf8, message)
    })
}
