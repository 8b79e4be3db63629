//! Options of a search.

use std::ffi::c_char;
use std::fmt::Display;
use std::ptr;
use std::str::FromStr;

use nearshelf::{Filter, Mode, SearchOptions};

use crate::error::{NearshelfStatus, Outcome, failure};
use crate::text::{NEARSHELF_NUL_TERMINATED, slice, text};
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
    /// Weight of difference: hits that are like one another give way to others, 0 to 1.
    pub diversity: f32,
    /// Hits that are passed over: pages of one `k` hold every hit once.
    pub offset: usize,
    /// Fields that hits are ordered by, before their scores: "in_stock:desc,price:asc" in UTF-8 with a NUL at its end, as are
    /// the texts below; NULL for none.
    pub sort: *const c_char,
    /// Fields that lift scores: "in_stock:0.2", or with the value that has half of the weight, "reviews:0.1:100"; several
    /// with commas between them.
    pub boosts: *const c_char,
    /// Ids of items that stand first, one a line.
    pub pin: *const c_char,
    /// Ids of items that are no hits, one a line.
    pub hide: *const c_char,
    /// A field of which each value has one hit, the best.
    pub distinct: *const c_char,
    /// Values that are counted over all items that match: "brand:5,price:0..25|25..50|50..,price:histogram:8".
    pub facets: *const c_char,
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
            diversity: 0.0,
            offset: 0,
            sort: ptr::null(),
            boosts: ptr::null(),
            pin: ptr::null(),
            hide: ptr::null(),
            distinct: ptr::null(),
            facets: ptr::null(),
        }
    }
}

/// No header has a larger struct: a size beyond it is a mistake.
const LARGEST: usize = 4096;

/// # Safety
/// A pointer that is not NULL points to as many bytes as its first field says, and its texts, when they are not NULL, to as
/// many as their lengths say, or to a NUL at their end.
pub(crate) unsafe fn search_options(
    pointer: *const NearshelfSearchOptions,
) -> Outcome<SearchOptions> {
    // SAFETY: the caller's word.
    let options = unsafe { read(pointer) }?;
    let filter = if options.filter.is_null() {
        None
    } else {
        // SAFETY: the caller's word covers it.
        let filter = unsafe { text("filter", options.filter, options.filter_length) }?;
        Some(filter.parse::<Filter>().map_err(nearshelf::Error::from)?)
    };
    let set = |value: usize| (value > 0).then_some(value);
    // SAFETY: the caller's word covers all of the texts.
    let (sort, boosts, pin, hide, distinct, facets) = unsafe {
        (
            list("sort", options.sort, ',')?,
            list("boosts", options.boosts, ',')?,
            list("pin", options.pin, '\n')?,
            list("hide", options.hide, '\n')?,
            list::<String>("distinct", options.distinct, '\n')?,
            list("facets", options.facets, ',')?,
        )
    };
    Ok(SearchOptions {
        k: set(options.k).unwrap_or(SearchOptions::default().k),
        offset: options.offset,
        mode: mode(options.mode)?,
        weight: weight(options.weight)?,
        typing: options.flags & NEARSHELF_TYPING != 0,
        leave_weak: options.flags & NEARSHELF_LEAVE_WEAK != 0,
        probe: set(options.probe),
        ef: set(options.ef),
        filter,
        sort,
        boosts,
        pin,
        hide,
        distinct: distinct.into_iter().next(),
        facets,
        diversity: options.diversity,
    })
}

/// The options as this library knows them, of a struct that may be an older header's.
///
/// # Safety
/// A pointer that is not NULL points to as many bytes as its first field says.
unsafe fn read(pointer: *const NearshelfSearchOptions) -> Outcome<NearshelfSearchOptions> {
    let mut options = NearshelfSearchOptions::default();
    if pointer.is_null() {
        return Ok(options);
    }
    let known = size_of::<NearshelfSearchOptions>();
    // SAFETY: the caller's word covers the first field.
    let size = unsafe { slice("options", pointer.cast::<usize>(), 1) }?[0];
    if !(size_of::<usize>()..=LARGEST).contains(&size) {
        let message = format!(
            "options, struct_size: expected sizeof(NearshelfSearchOptions), {known}, found {size}"
        );
        return failure(NearshelfStatus::InvalidArgument, message);
    }
    // SAFETY: as many bytes as the caller says; the struct is of numbers and pointers, for which any bytes are valid.
    let bytes = unsafe { slice("options", pointer.cast::<u8>(), size) }?;
    if bytes.iter().skip(known).any(|&byte| byte != 0) {
        let message = format!(
            "options: expected fields of ABI {NEARSHELF_ABI} alone, found another that is set; update the library"
        );
        return failure(NearshelfStatus::InvalidArgument, message);
    }
    // A size that ends inside a pointer leaves no part of it.
    let size = match size < known {
        true => size - size % align_of::<NearshelfSearchOptions>(),
        false => known,
    };
    // SAFETY: no more bytes than either has, and the two do not overlap.
    unsafe {
        let to = (&raw mut options).cast::<u8>();
        ptr::copy_nonoverlapping(bytes.as_ptr(), to, size);
    }
    // The text and its length come together.
    if size < std::mem::offset_of!(NearshelfSearchOptions, mode) {
        options.filter = ptr::null();
    }
    Ok(options)
}

/// The parts of a list in a text; none of NULL.
///
/// # Safety
/// A pointer that is not NULL points to a text with a NUL at its end.
unsafe fn list<T: FromStr<Err: Display>>(
    name: &str,
    pointer: *const c_char,
    between: char,
) -> Outcome<Vec<T>> {
    if pointer.is_null() {
        return Ok(vec![]);
    }
    // SAFETY: the caller's word.
    let all = unsafe { text(name, pointer, NEARSHELF_NUL_TERMINATED) }?;
    let parts = all.split(between).filter(|part| !part.is_empty());
    let parse = |part: &str| {
        part.parse().or_else(|error| {
            failure(
                NearshelfStatus::InvalidArgument,
                format!("options, {name}: {error}"),
            )
        })
    };
    parts.map(parse).collect()
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
