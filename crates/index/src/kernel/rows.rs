//! The signature that all kernels share, and the loop of those that take a row at a time.

/// Σ code · query for each row of codes, into `dots`.
///
/// A row holds two codes of 0 … 15 a byte, in planes of 128 components: byte j of its line i has component
/// 128 i + j in the low half and component 128 i + 64 + j in the high one. A row of another length than half the
/// query's gives `i32::MIN`. As many dots are written as the shorter of `rows` and `dots` has.
pub type DotRows = fn(rows: &[&[u8]], query: &[i8], dots: &mut [i32]);

/// `dot` of each row; `i32::MIN` for a row of another length.
#[inline(always)]
pub fn each_row(rows: &[&[u8]], query: &[i8], dots: &mut [i32], dot: impl Fn(&[u8], &[i8]) -> i32) {
    for (row, out) in rows.iter().zip(dots) {
        *out = if row.len() * 2 == query.len() {
            dot(row, query)
        } else {
            i32::MIN
        };
    }
}
