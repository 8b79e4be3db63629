//! The log: levels, and the function of the caller that receives its lines.

use std::ffi::{CString, c_char, c_void};
use std::sync::{Once, PoisonError, RwLock};

use log::{LevelFilter, Log, Metadata, Record};

/// A level of the log.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NearshelfLevel {
    /// Nothing.
    Off = 0,
    /// Faults.
    Error = 1,
    /// Things that work, but not as they should, such as a model that does not run fused.
    Warn = 2,
}

/// Takes a line of the log: its level, a text with a NUL at its end that is valid during the call, and what the program
/// gave to nearshelf_set_log. It may be called from any thread that uses the library, several at a time; it must not
/// unwind.
pub type NearshelfLog =
    Option<unsafe extern "C" fn(level: NearshelfLevel, message: *const c_char, user: *mut c_void)>;

#[derive(Clone, Copy)]
struct Sink {
    callback: unsafe extern "C" fn(NearshelfLevel, *const c_char, *mut c_void),
    user: *mut c_void,
}

// SAFETY: the pointer is the program's, which promised that its callback may be called from any thread.
unsafe impl Send for Sink {}
// SAFETY: as above.
unsafe impl Sync for Sink {}

static SINK: RwLock<Option<Sink>> = RwLock::new(None);
static START: Once = Once::new();
static PANICS: Once = Once::new();

struct Forward;

impl Log for Forward {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let level = match record.level() {
            log::Level::Error => NearshelfLevel::Error,
            _ => NearshelfLevel::Warn,
        };
        forward(level, &record.args().to_string());
    }

    fn flush(&self) {}
}

fn forward(level: NearshelfLevel, message: &str) {
    // Copied, so that a callback may set another.
    let sink = *SINK.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(Sink { callback, user }) = sink
        && let Ok(message) = CString::new(message.replace('\0', " "))
    {
        // SAFETY: the program's function, with the program's pointer and a message that outlives the call.
        unsafe { callback(level, message.as_ptr(), user) };
    }
}

/// A library prints nothing: panics, which become NEARSHELF_STATUS_INTERNAL, are told to the log.
pub(crate) fn quiet_panics() {
    PANICS.call_once(|| {
        // Only where this library has a standard library of its own: in Rust programs the hook is the program's.
        if cfg!(feature = "own-panics") {
            std::panic::set_hook(Box::new(|info| {
                forward(NearshelfLevel::Error, &info.to_string())
            }));
        }
    });
}

/// Sends the library's log to `callback`, with `user` passed on; NULL for nowhere, as at the start. Lines above `level`
/// are left out. Any thread may call this, at any time; a line that another thread is writing may still come.
///
/// # Safety
/// `callback` may be called with `user` from any thread until another is set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nearshelf_set_log(level: i32, callback: NearshelfLog, user: *mut c_void) {
    let sink = callback.map(|callback| Sink { callback, user });
    *SINK.write().unwrap_or_else(PoisonError::into_inner) = sink;
    START.call_once(|| drop(log::set_logger(&Forward)));
    log::set_max_level(match (sink, level) {
        (None, _) | (_, ..=0) => LevelFilter::Off,
        (_, 1) => LevelFilter::Error,
        _ => LevelFilter::Warn,
    });
}
