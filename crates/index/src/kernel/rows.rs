//! The loop over rows of codes that all kernels share.

/// The offset of coarse codes: a code of 64 is zero.
pub const BIAS: u8 = 64;

/// Rows ahead of the one being worked on whose cache lines are asked for: with six lines a row, about
/// as many as a core keeps under way at once.
const PREFETCH_AHEAD: usize = 4;

/// Σ codes · query for each of the rows `items` of `codes`, into `dots`.
///
/// Rows are as long as the query, a multiple of 64, and their codes are in 0 … 127. A row that is not
/// inside `codes` gives `i32::MIN`. As many dots are written as the shorter of `items` and `dots` has.
pub type DotRows = fn(codes: &[u8], items: &[u16], query: &[i8], dots: &mut [i32]);

/// The loop that all kernels share: `dot` sees one row at a time, the rows to come are asked for.
#[inline(always)]
pub fn for_rows(
    codes: &[u8],
    items: &[u16],
    query: &[i8],
    dots: &mut [i32],
    dot: impl Fn(&[u8], &[i8]) -> i32,
) {
    let row = |item: u16| {
        let start = usize::from(item) * query.len();
        codes.get(start..start + query.len())
    };
    for &item in items.iter().take(PREFETCH_AHEAD) {
        if let Some(row) = row(item) {
            prefetch(row);
        }
    }
    for (i, (&item, out)) in items.iter().zip(dots).enumerate() {
        if let Some(row) = items.get(i + PREFETCH_AHEAD).and_then(|&ahead| row(ahead)) {
            prefetch(row);
        }
        *out = row(item).map_or(i32::MIN, |row| dot(row, query));
    }
}

/// Asks for the cache lines of `bytes`, which are read soon.
#[inline(always)]
pub(crate) fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    for line in bytes.chunks(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: SSE is part of x86-64, and a prefetch reads nothing the program can see.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}
