//! Statuses and messages.

use std::any::Any;
use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use nearshelf::{Error, ErrorKind};

/// The outcome of a call. The numbers never change; new ones may come.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NearshelfStatus {
    /// Done.
    Ok = 0,
    /// A pointer that must not be NULL is.
    NullPointer = 1,
    /// A text is not UTF-8.
    InvalidUtf8 = 2,
    /// A length, a size or a number is not what the function takes.
    InvalidArgument = 3,
    /// The program was compiled with another header than the library's.
    WrongAbi = 4,
    /// The shelf was closed, or the handle never was one.
    Closed = 5,
    /// The item has no value of this field, or there is no such field, item or tag.
    NoValue = 6,
    /// A file could not be read.
    Io = 7,
    /// A file is damaged, or not what it should be.
    Damaged = 8,
    /// The shelf was built for a newer library.
    TooNew = 9,
    /// The text could not be encoded.
    Encoding = 10,
    /// A mistake of the library's own. The shelf can go on being used.
    Internal = 11,
    /// The library was built without what the shelf needs: its encoder is a graph in ONNX that nearshelf does not
    /// recognise, and the library lacks the feature `onnx`.
    Unsupported = 12,
}

pub(crate) struct Failure {
    pub status: NearshelfStatus,
    pub message: String,
}

pub(crate) type Outcome<T = ()> = Result<T, Failure>;

pub(crate) fn failure<T>(status: NearshelfStatus, message: impl Into<String>) -> Outcome<T> {
    Err(Failure {
        status,
        message: message.into(),
    })
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            ErrorKind::Io | ErrorKind::Missing => NearshelfStatus::Io,
            ErrorKind::Damaged | ErrorKind::Altered => NearshelfStatus::Damaged,
            ErrorKind::TooNew => NearshelfStatus::TooNew,
            ErrorKind::Unsupported => NearshelfStatus::Unsupported,
            ErrorKind::Usage => NearshelfStatus::InvalidArgument,
            ErrorKind::Encoding => NearshelfStatus::Encoding,
        };
        Failure {
            status,
            message: error.to_string(),
        }
    }
}

thread_local! {
    static LAST: RefCell<CString> = RefCell::default();
}

/// The failure of the last call of this thread that did not give NEARSHELF_STATUS_OK: a sentence in UTF-8, empty
/// when there was none. The library's own: valid until the next call of this thread that fails; never freed.
#[unsafe(no_mangle)]
pub extern "C" fn nearshelf_last_error() -> *const c_char {
    // A thread that is ending has no message any more.
    LAST.try_with(|last| last.borrow().as_ptr())
        .unwrap_or(c"".as_ptr())
}

/// Runs the body of a function of the ABI: its error becomes a status and a message, and so does a panic.
pub(crate) fn guard(run: impl FnOnce() -> Outcome) -> NearshelfStatus {
    let failure = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(())) => return NearshelfStatus::Ok,
        Ok(Err(failure)) => failure,
        Err(panic) => Failure {
            status: NearshelfStatus::Internal,
            message: format!("a mistake of nearshelf's own: {}", said(&*panic)),
        },
    };
    let message = failure.message.replace('\0', "\u{fffd}");
    let _ = LAST.try_with(|last| *last.borrow_mut() = CString::new(message).unwrap_or_default());
    failure.status
}

fn said(panic: &(dyn Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<&str>() {
        return text;
    }
    panic
        .downcast_ref::<String>()
        .map_or("a panic", String::as_str)
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn a_panic_is_a_status_and_a_message() {
        assert_eq!(
            guard(|| panic!("in the\0 middle")),
            NearshelfStatus::Internal
        );
        // SAFETY: the message is this thread's, and nothing failed since.
        let message = unsafe { CStr::from_ptr(nearshelf_last_error()) };
        let message = message.to_str().unwrap();
        assert!(message.ends_with("in the\u{fffd} middle"), "{message}");
    }

    #[test]
    fn messages_belong_to_threads() {
        guard(|| failure(NearshelfStatus::Io, "here"));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // SAFETY: as above.
                let message = unsafe { CStr::from_ptr(nearshelf_last_error()) };
                assert!(message.is_empty());
            });
        });
    }
}
