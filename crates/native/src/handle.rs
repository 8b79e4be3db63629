//! Handles are numbers in the shape of pointers, and looked up: a closed one, or none at all, is an error and never
//! undefined behaviour, and a shelf that is closed while a search runs goes when the search is done.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use nearshelf::Shelf;

use crate::error::{NearshelfStatus, Outcome, failure};

/// A shelf that is open. Any number of threads may use one at the same time.
pub struct NearshelfShelf {
    _private: [u8; 0],
}

static OPEN: RwLock<Option<HashMap<usize, Arc<Shelf>>>> = RwLock::new(None);
static NEXT: AtomicUsize = AtomicUsize::new(1);
/// Handles are as far apart as pointers are.
const STRIDE: usize = 16;

/// The shelf of a handle.
pub(crate) fn open_shelf(handle: *const NearshelfShelf) -> Outcome<Arc<Shelf>> {
    let open = OPEN.read().unwrap_or_else(PoisonError::into_inner);
    match open.as_ref().and_then(|open| open.get(&handle.addr())) {
        Some(shelf) => Ok(Arc::clone(shelf)),
        None => unknown(handle),
    }
}

pub(crate) fn give(shelf: Shelf) -> *mut NearshelfShelf {
    // Never the same number twice: a closed handle stays one.
    let handle = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(STRIDE);
    let mut open = OPEN.write().unwrap_or_else(PoisonError::into_inner);
    open.get_or_insert_default().insert(handle, Arc::new(shelf));
    std::ptr::without_provenance_mut(handle)
}

pub(crate) fn take(handle: *const NearshelfShelf) -> Outcome {
    let mut open = OPEN.write().unwrap_or_else(PoisonError::into_inner);
    let shelf = open.get_or_insert_default().remove(&handle.addr());
    // Not under the lock: unmapping takes its time.
    drop(open);
    match shelf {
        Some(_) => Ok(()),
        None => unknown(handle),
    }
}

fn unknown<T>(handle: *const NearshelfShelf) -> Outcome<T> {
    if handle.is_null() {
        let message = "shelf: expected a handle, found NULL";
        return failure(NearshelfStatus::NullPointer, message);
    }
    let message = "shelf: expected the handle of an open shelf, found one that was closed, or none";
    failure(NearshelfStatus::Closed, message)
}
