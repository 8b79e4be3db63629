//! Searches and encoding.

use std::ffi::c_char;

use nearshelf::Found;

use crate::error::{NearshelfStatus, failure, guard};
use crate::handle::{NearshelfShelf, open_shelf};
use crate::hits::{NearshelfHits, give};
use crate::options::{NearshelfSearchOptions, search_options};
use crate::text::{checked, room, slice, text};

/// The best items for a text, by its words and its meaning: UTF-8 of `length` bytes, or NEARSHELF_NUL_TERMINATED. White space has no hits; a text
/// longer than the encoder reads is truncated. The first search by text loads the encoder.
///
/// `options` may be NULL. `*hits` is freed by nearshelf_hits_free. Any number of threads may search one shelf.
///
/// # Safety
/// `query` and `options` are as said, `hits` is room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nearshelf_search(
    shelf: *const NearshelfShelf,
    query: *const c_char,
    length: usize,
    options: *const NearshelfSearchOptions,
    hits: *mut *mut NearshelfHits,
) -> NearshelfStatus {
    guard(|| {
        // SAFETY: the caller's word.
        let (shelf, out) = (open_shelf(shelf)?, unsafe { room("hits", hits) }?);
        // SAFETY: the caller's word.
        let (query, options) = unsafe { (text("query", query, length)?, search_options(options)?) };
        let answer = shelf.search_with(query, &options)?;
        let tokens = [answer.tokens, answer.untruncated, answer.unknown];
        *out = give(&answer.hits, answer.stats, tokens);
        Ok(())
    })
}

/// The items nearest to a unit vector of as many components as the shelf has, such as one of nearshelf_encode.
///
/// `options` may be NULL. `*hits` is freed by nearshelf_hits_free. Any number of threads may search one shelf.
///
/// # Safety
/// `vector` has `dims` components, `options` is as said, `hits` is room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nearshelf_search_vector(
    shelf: *const NearshelfShelf,
    vector: *const f32,
    dims: usize,
    options: *const NearshelfSearchOptions,
    hits: *mut *mut NearshelfHits,
) -> NearshelfStatus {
    guard(|| {
        // SAFETY: the caller's word.
        let (shelf, out) = (open_shelf(shelf)?, unsafe { room("hits", hits) }?);
        // SAFETY: the caller's word.
        let (vector, options) =
            unsafe { (slice("vector", vector, dims)?, search_options(options)?) };
        let Found { hits, stats, .. } = shelf.search_vector(vector, &options)?;
        *out = give(&hits, stats, [0; 3]);
        Ok(())
    })
}

/// The unit vector of a text in UTF-8 of `length` bytes, or NEARSHELF_NUL_TERMINATED, into `vector`, which has room for
/// exactly `dims` components: those of the shelf. Any number of threads may encode.
///
/// # Safety
/// `text` is as said, `vector` has room for `dims` components.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nearshelf_encode(
    shelf: *const NearshelfShelf,
    text: *const c_char,
    length: usize,
    vector: *mut f32,
    dims: usize,
) -> NearshelfStatus {
    guard(|| {
        let shelf = open_shelf(shelf)?;
        // SAFETY: the caller's word.
        let text = unsafe { crate::text::text("text", text, length) }?;
        let expected = shelf.manifest().dims as usize;
        if dims != expected {
            let message = format!("dims: expected {expected}, found {dims}");
            return failure(NearshelfStatus::InvalidArgument, message);
        }
        checked("vector", vector.cast_const())?;
        let encoded = shelf
            .encoder()?
            .encode(text)
            .map_err(nearshelf::Error::from)?;
        // SAFETY: the caller has room for `dims` components, as many as the vector has.
        unsafe { std::ptr::copy_nonoverlapping(encoded.vector.as_ptr(), vector, dims) };
        Ok(())
    })
}
