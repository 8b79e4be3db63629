//! Completions, and where the words of a query stand.

use std::ffi::c_char;

use nearshelf::ValueRef;

use crate::error::{NearshelfStatus, failure, guard};
use crate::handle::{NearshelfShelf, open_shelf};
use crate::text::{NearshelfText, checked, room, text};

/// A completion of what a shopper types.
#[repr(C)]
#[derive(Debug)]
pub struct NearshelfSuggestion {
    /// The whole phrase, with a NUL at its end. Valid until the suggestions are freed.
    pub text: NearshelfText,
    /// Items that have it, or the weight that the build was given.
    pub weight: u64,
}

/// Completions, the likeliest first. Freed, all of it, by nearshelf_suggestions_free.
#[repr(C)]
#[derive(Debug)]
pub struct NearshelfSuggestions {
    /// Bytes of this struct in the library.
    pub struct_size: usize,
    /// Completions.
    pub count: usize,
    /// The completions.
    pub suggestions: *const NearshelfSuggestion,
}

/// The memory behind the pointers of [`NearshelfSuggestions`]. The public part stands first.
#[repr(C)]
struct Owned {
    public: NearshelfSuggestions,
    suggestions: Vec<NearshelfSuggestion>,
    texts: Vec<String>,
}

/// The `k` likeliest completions of a text in UTF-8 of `length` bytes, or NEARSHELF_NUL_TERMINATED: phrases of the catalog,
/// or of the queries that the build was given. `*suggestions` is freed by nearshelf_suggestions_free.
///
/// # Safety
/// `prefix` is as said, `suggestions` is room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nearshelf_suggest(
    shelf: *const NearshelfShelf,
    prefix: *const c_char,
    length: usize,
    k: usize,
    suggestions: *mut *mut NearshelfSuggestions,
) -> NearshelfStatus {
    guard(|| {
        // SAFETY: the caller's word.
        let (shelf, out) = (open_shelf(shelf)?, unsafe {
            room("suggestions", suggestions)
        }?);
        // SAFETY: the caller's word.
        let prefix = unsafe { text("prefix", prefix, length) }?;
        let found = shelf.suggest(prefix, k);
        let texts: Vec<String> = found.iter().map(|s| format!("{}\0", s.text)).collect();
        let suggestions: Vec<NearshelfSuggestion> = (found.iter().zip(&texts))
            .map(|(found, text)| NearshelfSuggestion {
                text: NearshelfText::of(&text[..found.text.len()]),
                weight: found.weight,
            })
            .collect();
        let owned = Owned {
            public: NearshelfSuggestions {
                struct_size: size_of::<NearshelfSuggestions>(),
                count: suggestions.len(),
                suggestions: suggestions.as_ptr(),
            },
            suggestions,
            texts,
        };
        *out = Box::into_raw(Box::new(owned)).cast();
        Ok(())
    })
}

/// Frees completions. NULL is nothing to free.
///
/// # Safety
/// `suggestions` came from nearshelf_suggest and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nearshelf_suggestions_free(suggestions: *mut NearshelfSuggestions) {
    if !suggestions.is_null() {
        // SAFETY: by the caller's word from `nearshelf_suggest`, which made an `Owned` of it.
        let owned = unsafe { Box::from_raw(suggestions.cast::<Owned>()) };
        debug_assert_eq!(owned.suggestions.len(), owned.texts.len());
    }
}

/// A part of a text, in bytes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct NearshelfRange {
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// The places of a query's words in a text field of an item, for highlighting: up to `capacity` of them into `ranges`, in rising
/// order, their whole number into `*count`. `shard` and `item` are those of a hit.
///
/// # Safety
/// `query` and `field` are of so many bytes or NEARSHELF_NUL_TERMINATED, `ranges` has room for `capacity` of them, or is NULL where
/// that is 0, `count` is room for a number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nearshelf_matches(
    shelf: *const NearshelfShelf,
    query: *const c_char,
    query_length: usize,
    shard: u32,
    item: u32,
    field: *const c_char,
    field_length: usize,
    ranges: *mut NearshelfRange,
    capacity: usize,
    count: *mut usize,
) -> NearshelfStatus {
    guard(|| {
        // SAFETY: the caller's word.
        let (shelf, count) = (open_shelf(shelf)?, unsafe { room("count", count) }?);
        // SAFETY: the caller's word.
        let query = unsafe { text("query", query, query_length) }?;
        // SAFETY: the caller's word.
        let field = unsafe { text("field", field, field_length) }?;
        let Some(ValueRef::Text(value)) = shelf.value(shard, item, field) else {
            let message = format!("shard {shard}, item {item}: no text of field {field:?}");
            return failure(NearshelfStatus::NoValue, message);
        };
        let found = shelf.matches(query, value);
        *count = found.len();
        if capacity > 0 {
            checked("ranges", ranges.cast_const())?;
            for (place, found) in found.into_iter().take(capacity).enumerate() {
                let range = NearshelfRange {
                    start: found.start,
                    end: found.end,
                };
                // SAFETY: there is room for `capacity` of them, by the caller's word.
                unsafe { ranges.add(place).write(range) };
            }
        }
        Ok(())
    })
}
