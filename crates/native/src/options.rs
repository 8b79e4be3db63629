//! Options of a search.

use std::ffi::c_char;
use std::ptr;

use nearshelf::{Filter, Mode, SearchOptions};

use crate::error::{NearshelfStatus, Outcome, failure};
use crate::text::{slice, text};
use crate::version::NEARSHELF_ABI;

/// Options of a search. Set everything to zero, `struct_size` to sizeof(NearshelfSearchOptions), and then what is to be
/// different: `NearshelfSearchOptions o = { .struct_size = sizeof o, .k = 5 };`
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct NearshelfSearchOptions {
    /// sizeof(NearshelfSearchOptions), by which the library knows the fields that the program knows.
    pub struct_size: usize,
    /// Hits wanted; 0 for 10.
    pub k: usize,
    /// Shards searched, nearest first; 0 for what the shelf was built for.
    pub probe: usize,
    /// Candidates kept while walking the graphs; 0 for what the shelf was built for.
    pub ef: usize,
    /// Items that may be hits, as a filter in UTF-8, for example `price < 50 AND brand IN ["Calder"]`; NULL for all.
    pub filter: *const c_char,
    /// Its bytes, or NEARSHELF_NUL_TERMINATED.
    pub filter_length: usize,
    /// Parts of a text that items are compared by: 0 for words and meaning in one ranking, 1 for words alone, which needs no
    /// encoder, 2 for meaning alone.
    pub mode: u32,
    /// The weight of the words in a hybrid score beside the meaning, above 0 and at most 1; 0 for the usual one.
    pub weight: f32,
    /// NEARSHELF_TYPING, NEARSHELF_LEAVE_WEAK, or 0.
    pub flags: u32,
}

/// Flag: the last word of a text may be the beginning of one, as while it is being typed.
pub const NEARSHELF_TYPING: u32 = 1;
/// Flag: hits that are no better than chance are left out.
pub const NEARSHELF_LEAVE_WEAK: u32 = 2;

impl Default for NearshelfSearchOptions {
    fn default() -> Self {
        NearshelfSearchOptions {
            struct_size: 0,
            k: 0,
            probe: 0,
            ef: 0,
            filter: ptr::null(),
            filter_length: 0,
            mode: 0,
            weight: 0.0,
            flags: 0,
        }
    }
}

/// No header has a larger struct: a size beyond it is a mistake.
const LARGEST: usize = 4096;

/// # Safety
/// A pointer that is not NULL points to as many bytes as its first field says, and its filter, when it is not NULL, to as
/// many as its length says.
pub(crate) unsafe fn search_options(
    pointer: *const NearshelfSearchOptions,
) -> Outcome<SearchOptions> {
    let mut options = NearshelfSearchOptions::default();
    if !pointer.is_null() {
        let known = size_of::<NearshelfSearchOptions>();
        // SAFETY: the caller's word covers the first field.
        let size = unsafe { slice("options", pointer.cast::<usize>(), 1) }?[0];
        if !(size_of::<usize>()..=LARGEST).contains(&size) {
            let message = format!(
                "options, struct_size: expected sizeof(NearshelfSearchOptions), {known}, found {size}"
            );
            return failure(NearshelfStatus::InvalidArgument, message);
        }
        // SAFETY: as many bytes as the caller says; the struct is of numbers and a pointer, for which any bytes are valid.
        let bytes = unsafe { slice("options", pointer.cast::<u8>(), size) }?;
        if bytes.iter().skip(known).any(|&byte| byte != 0) {
            let message = format!(
                "options: expected fields of ABI {} alone, found another that is set; update the library",
                NEARSHELF_ABI
            );
            return failure(NearshelfStatus::InvalidArgument, message);
        }
        // SAFETY: no more bytes than either has, and the two do not overlap.
        unsafe {
            let to = (&raw mut options).cast::<u8>();
            ptr::copy_nonoverlapping(bytes.as_ptr(), to, size.min(known));
        }
        // A size that ends inside the filter, of which a part is no pointer.
        if size < std::mem::offset_of!(NearshelfSearchOptions, mode) {
            options.filter = ptr::null();
        }
    }
    let filter = if options.filter.is_null() {
        None
    } else {
        // SAFETY: the caller's word covers it.
        let filter = unsafe { text("filter", options.filter, options.filter_length) }?;
        Some(filter.parse::<Filter>().map_err(nearshelf::Error::from)?)
    };
    let set = |value: usize| (value > 0).then_some(value);
    Ok(SearchOptions {
        k: set(options.k).unwrap_or(SearchOptions::default().k),
        mode: mode(options.mode)?,
        weight: weight(options.weight)?,
        typing: options.flags & NEARSHELF_TYPING != 0,
        leave_weak: options.flags & NEARSHELF_LEAVE_WEAK != 0,
        probe: set(options.probe),
        ef: set(options.ef),
        filter,
    })
}

fn mode(number: u32) -> Outcome<Mode> {
    match number {
        0 => Ok(Mode::Hybrid),
        1 => Ok(Mode::Words),
        2 => Ok(Mode::Meaning),
        other => failure(
            NearshelfStatus::InvalidArgument,
            format!("options, mode: expected 0, 1 or 2, found {other}"),
        ),
    }
}

fn weight(weight: f32) -> Outcome<Option<f32>> {
    match weight {
        0.0 => Ok(None),
        0.0..=1.0 => Ok(Some(weight)),
        other => failure(
            NearshelfStatus::InvalidArgument,
            format!("options, weight: expected 0 to 1, found {other}"),
        ),
    }
}

/// Whether the caller's struct has room for all of `T`.
pub(crate) fn check_size<T>(name: &str, found: usize) -> Outcome {
    let expected = size_of::<T>();
    if found < expected {
        let message = format!("{name}, struct_size: expected {expected} or more, found {found}");
        return failure(NearshelfStatus::InvalidArgument, message);
    }
    Ok(())
}
