//! A shelf's next state: what an update made of it, or news of a session. A shelf never changes: the next one is another
//! handle, which shares the files.

use std::ffi::c_char;
use std::path::Path;

use nearshelf::{Overlay, Shelf};

use crate::error::{NearshelfStatus, Outcome, failure, guard};
use crate::handle::{NearshelfShelf, give, open_shelf};
use crate::text::{NEARSHELF_NUL_TERMINATED, room, text};

/// Opens a shelf as it is in a directory now, after `nearshelf update` or `nearshelf compact`. Files that the open one has
/// are shared, its encoder stays loaded, and its news are laid over. `*next` becomes a handle of its own, which
/// nearshelf_close frees; `shelf` stays as it was, for searches that are at work, until it is closed. Any thread may call this.
///
/// # Safety
/// `path` ends with a NUL, `next` is room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nearshelf_reopen(
    shelf: *const NearshelfShelf,
    path: *const c_char,
    next: *mut *mut NearshelfShelf,
) -> NearshelfStatus {
    guard(|| {
        // SAFETY: the caller's word.
        let (shelf, out) = (open_shelf(shelf)?, unsafe { room("next", next) }?);
        // SAFETY: the caller's word.
        let path = unsafe { text("path", path, NEARSHELF_NUL_TERMINATED) }?;
        *out = give(shelf.reopen(Path::new(path))?);
        Ok(())
    })
}

/// Lays news of items over a shelf, such as live prices and stock: JSON in UTF-8 of `length` bytes, or
/// NEARSHELF_NUL_TERMINATED, by id the fields with their new values, null for none, or null for an item that is gone:
/// `{ "sku-1": { "price": 99 }, "sku-2": null }`. They stand above the shelf's files and are kept in none. `*next` becomes a
/// handle of its own, which nearshelf_close frees; `shelf` stays as it was. Any thread may call this.
///
/// # Safety
/// `news` is as said, `next` is room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nearshelf_overlay(
    shelf: *const NearshelfShelf,
    news: *const c_char,
    length: usize,
    next: *mut *mut NearshelfShelf,
) -> NearshelfStatus {
    guard(|| {
        // SAFETY: the caller's word.
        let (shelf, out) = (open_shelf(shelf)?, unsafe { room("next", next) }?);
        // SAFETY: the caller's word.
        let news = unsafe { text("news", news, length) }?;
        *out = give(overlaid(&shelf, news)?);
        Ok(())
    })
}

fn overlaid(shelf: &Shelf, news: &str) -> Outcome<Shelf> {
    let news: Overlay = match serde_json::from_str(news) {
        Ok(news) => news,
        Err(error) => {
            return failure(NearshelfStatus::InvalidArgument, format!("news: {error}"));
        }
    };
    let mut next = shelf.fork()?;
    next.overlay(&news)?;
    Ok(next)
}
