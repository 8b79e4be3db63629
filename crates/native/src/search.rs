//! Searches and encoding.

use std::ffi::c_char;

use nearshelf::{Query, Recommend, SearchOptions, Shelf};

use crate::error::{NearshelfStatus, Outcome, failure, guard};
use crate::handle::{NearshelfShelf, open_shelf};
use crate::hits::{About, NearshelfHits, give};
use crate::options::{NearshelfSearchOptions, check_size, search_options};
use crate::text::{NearshelfText, checked, room, slice, text};

/// The best items for a text, by its words and its meaning: UTF-8 of `length` bytes, or NEARSHELF_NUL_TERMINATED. White space is a query
/// for all items; a text longer than the encoder reads is truncated. The first search by text loads the encoder.
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
    // SAFETY: the caller's word.
    unsafe {
        search_for(
            "query",
            query,
            length,
            |said| Query::Text(said),
            shelf,
            options,
            hits,
        )
    }
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
        *out = answer(&shelf, Query::Vector(vector), &options)?;
        Ok(())
    })
}

/// Items that are like one, by its own vector and words: its id in UTF-8 of `length` bytes, or NEARSHELF_NUL_TERMINATED. It is no
/// hit itself.
///
/// `options` may be NULL. `*hits` is freed by nearshelf_hits_free. Any number of threads may search one shelf.
///
/// # Safety
/// `id` and `options` are as said, `hits` is room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nearshelf_similar(
    shelf: *const NearshelfShelf,
    id: *const c_char,
    length: usize,
    options: *const NearshelfSearchOptions,
    hits: *mut *mut NearshelfHits,
) -> NearshelfStatus {
    // SAFETY: the caller's word.
    unsafe {
        search_for(
            "id",
            id,
            length,
            |said| Query::Similar(said),
            shelf,
            options,
            hits,
        )
    }
}

/// Items that somebody liked, and what to recommend besides. Set everything to zero, `struct_size` to
/// sizeof(NearshelfRecommend), and then what is to be different.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct NearshelfRecommend {
    /// sizeof(NearshelfRecommend).
    pub struct_size: usize,
    /// Ids of items that are liked, in the order in which they were looked at. They are no hits.
    pub like: *const NearshelfText,
    /// Their number.
    pub like_count: usize,
    /// Ids of items that are not liked. They are no hits.
    pub unlike: *const NearshelfText,
    /// Their number.
    pub unlike_count: usize,
    /// Weights of the liked items, as many as there are; NULL where the last counts most.
    pub weights: *const f32,
    /// A text that hits have to fit besides; of length 0 for none.
    pub text: NearshelfText,
}

/// Items that fit what somebody liked: several interests are kept apart.
///
/// `options` may be NULL. `*hits` is freed by nearshelf_hits_free. Any number of threads may search one shelf.
///
/// # Safety
/// `asked` and what it points to, and `options`, are as said, `hits` is room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nearshelf_recommend(
    shelf: *const NearshelfShelf,
    asked: *const NearshelfRecommend,
    options: *const NearshelfSearchOptions,
    hits: *mut *mut NearshelfHits,
) -> NearshelfStatus {
    guard(|| {
        // SAFETY: the caller's word.
        let (shelf, out) = (open_shelf(shelf)?, unsafe { room("hits", hits) }?);
        // SAFETY: the caller's word.
        let size = unsafe { slice("asked", asked.cast::<usize>(), 1) }?[0];
        check_size::<NearshelfRecommend>("asked", size)?;
        // SAFETY: of that size, and aligned: its first field was.
        let asked = unsafe { *asked };
        // SAFETY: the caller's word.
        let (like, unlike, options) = unsafe {
            (
                texts("like", asked.like, asked.like_count)?,
                texts("unlike", asked.unlike, asked.unlike_count)?,
                search_options(options)?,
            )
        };
        let weights = match asked.weights.is_null() {
            true => &[],
            // SAFETY: as many as there are liked items, by the caller's word.
            false => unsafe { slice("weights", asked.weights, asked.like_count) }?,
        };
        // SAFETY: the caller's word.
        let text = unsafe { text("text", asked.text.data, asked.text.length) }?;
        let asked = Recommend {
            like: &like,
            unlike: &unlike,
            weights,
            text: (!text.is_empty()).then_some(text),
        };
        *out = answer(&shelf, Query::Recommend(asked), &options)?;
        Ok(())
    })
}

/// The place of the item with an id in UTF-8 of `length` bytes, or NEARSHELF_NUL_TERMINATED, for nearshelf_field:
/// NEARSHELF_STATUS_NO_VALUE where the shelf has no such item.
///
/// # Safety
/// `id` is as said, `shard` and `item` are room for a number each.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nearshelf_get(
    shelf: *const NearshelfShelf,
    id: *const c_char,
    length: usize,
    shard: *mut u32,
    item: *mut u32,
) -> NearshelfStatus {
    guard(|| {
        // SAFETY: the caller's word.
        let (shelf, id) = (open_shelf(shelf)?, unsafe { text("id", id, length) }?);
        // SAFETY: the caller's word.
        let (shard, item) = unsafe { (room("shard", shard)?, room("item", item)?) };
        let Some(hit) = shelf.get(id)? else {
            return failure(
                NearshelfStatus::NoValue,
                format!("id: the shelf has no item {id:?}"),
            );
        };
        (*shard, *item) = (hit.shard, hit.item);
        Ok(())
    })
}

/// A search for a query that is made of a text.
///
/// # Safety
/// Those of [`nearshelf_search`].
unsafe fn search_for(
    name: &str,
    said: *const c_char,
    length: usize,
    query: impl for<'a> FnOnce(&'a str) -> Query<'a>,
    shelf: *const NearshelfShelf,
    options: *const NearshelfSearchOptions,
    hits: *mut *mut NearshelfHits,
) -> NearshelfStatus {
    guard(|| {
        // SAFETY: the caller's word.
        let (shelf, out) = (open_shelf(shelf)?, unsafe { room("hits", hits) }?);
        // SAFETY: the caller's word.
        let (said, options) = unsafe { (text(name, said, length)?, search_options(options)?) };
        *out = answer(&shelf, query(said), &options)?;
        Ok(())
    })
}

fn answer(shelf: &Shelf, query: Query<'_>, options: &SearchOptions) -> Outcome<*mut NearshelfHits> {
    let answer = shelf.search_with(query, options)?;
    let about = About {
        stats: answer.stats,
        matches: answer.matches,
        facets: answer.facets,
        words: answer.words,
        tokens: [answer.tokens, answer.untruncated, answer.unknown],
    };
    Ok(give(&answer.hits, about))
}

/// # Safety
/// A pointer that is not NULL points to `count` texts that live as long as `'a`, each of as many bytes as it says.
unsafe fn texts<'a>(
    name: &str,
    pointer: *const NearshelfText,
    count: usize,
) -> Outcome<Vec<&'a str>> {
    // SAFETY: the caller's word.
    let all = unsafe { slice(name, pointer, count) }?;
    // SAFETY: the caller's word.
    all.iter()
        .map(|one| unsafe { text(name, one.data, one.length) })
        .collect()
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
