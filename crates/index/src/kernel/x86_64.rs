//! The dot products of x86-64, chosen by the instructions that the processor has.

use std::arch::x86_64::*;
use std::sync::LazyLock;

use super::rows::DotRows;
use super::scalar;

pub fn select() -> DotRows {
    static BEST: LazyLock<DotRows> =
        LazyLock::new(|| available().pop().map_or(scalar::dot_rows, |best| best.1));
    *BEST
}

/// The kernels that this machine runs, the fastest last. `NEARSHELF_ISA` asks for others than the fastest, as it does for
/// the encoder.
pub fn available() -> Vec<(&'static str, DotRows)> {
    let mut kernels: Vec<(&'static str, DotRows)> = Vec::new();
    let asked = std::env::var("NEARSHELF_ISA").unwrap_or_default();
    if is_x86_feature_detected!("avx2") && asked != "portable" {
        kernels.push(("avx2", avx2));
    }
    let avx512 = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni");
    if avx512 && (asked.is_empty() || asked == "avx512vnni") {
        kernels.push(("avx512vnni", avx512vnni));
    }
    kernels
}

fn avx2(rows: &[&[u8]], query: &[i8], dots: &mut [i32]) {
    // SAFETY: `available` offers this function only where AVX2 was detected.
    unsafe { rows_avx2(rows, query, dots) }
}

fn avx512vnni(rows: &[&[u8]], query: &[i8], dots: &mut [i32]) {
    // SAFETY: `available` offers this function only where both were detected.
    unsafe {
        match query.len() / 128 {
            // MiniLM's 384 components: the query stays in registers.
            3 => rows_avx512vnni::<3>(rows, query, dots),
            _ => rows_avx512vnni::<0>(rows, query, dots),
        }
    }
}

/// # Safety
/// The machine has AVX2.
#[target_feature(enable = "avx2")]
unsafe fn rows_avx2(rows: &[&[u8]], query: &[i8], dots: &mut [i32]) {
    for (rows, dots) in rows.chunks(4).zip(dots.chunks_mut(4)) {
        let mut sums = [_mm256_setzero_si256(); 4];
        for (row, sum) in rows.iter().zip(&mut sums) {
            *sum = sum_avx2(row, query);
        }
        store(rows, query, sums, dots);
    }
}

/// Adds up the partial sums of four rows, and writes those of as many as there are; `i32::MIN` for a row of another length.
#[inline]
#[target_feature(enable = "avx2")]
fn store(rows: &[&[u8]], query: &[i8], [a, b, c, d]: [__m256i; 4], dots: &mut [i32]) {
    let ab = _mm256_hadd_epi32(a, b);
    let cd = _mm256_hadd_epi32(c, d);
    // Both halves hold a part of each of the four.
    let sums = _mm256_hadd_epi32(ab, cd);
    let sums = _mm_add_epi32(
        _mm256_castsi256_si128(sums),
        _mm256_extracti128_si256::<1>(sums),
    );
    let mut four = [0; 4];
    // SAFETY: the array has the register's 16 bytes.
    unsafe { _mm_storeu_si128(four.as_mut_ptr().cast(), sums) };
    for ((row, out), sum) in rows.iter().zip(dots).zip(four) {
        let fits = row.len() * 2 == query.len();
        *out = if fits { sum } else { i32::MIN };
    }
}

/// Eight partial sums of a row.
#[inline]
#[target_feature(enable = "avx2")]
fn sum_avx2(row: &[u8], query: &[i8]) -> __m256i {
    let half = _mm256_set1_epi8(15);
    let ones = _mm256_set1_epi16(1);
    let mut sum = _mm256_setzero_si256();
    let lines = row
        .as_chunks::<64>()
        .0
        .iter()
        .zip(query.as_chunks::<128>().0);
    for (line, query) in lines {
        // Four pairs of products of at most 15 · 128 stay under 2^15.
        let mut pairs = _mm256_setzero_si256();
        for i in 0..2 {
            // SAFETY: each load reads 32 bytes inside its array.
            let (codes, low, high) = unsafe {
                (
                    _mm256_loadu_si256(line.as_ptr().add(32 * i).cast()),
                    _mm256_loadu_si256(query.as_ptr().add(32 * i).cast()),
                    _mm256_loadu_si256(query.as_ptr().add(64 + 32 * i).cast()),
                )
            };
            let lows = _mm256_maddubs_epi16(_mm256_and_si256(codes, half), low);
            let codes = _mm256_and_si256(_mm256_srli_epi16::<4>(codes), half);
            let highs = _mm256_maddubs_epi16(codes, high);
            pairs = _mm256_add_epi16(pairs, _mm256_add_epi16(lows, highs));
        }
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
    }
    sum
}

/// `LINES` is the number of 64-byte lines of a row, where it is known.
///
/// # Safety
/// The machine has AVX-512F and AVX-512 VNNI.
#[target_feature(enable = "avx512f,avx512vnni,avx2")]
unsafe fn rows_avx512vnni<const LINES: usize>(rows: &[&[u8]], query: &[i8], dots: &mut [i32]) {
    let known = known_lines::<LINES>(query);
    for (rows, dots) in rows.chunks(4).zip(dots.chunks_mut(4)) {
        let mut sums = [_mm256_setzero_si256(); 4];
        for (row, sum) in rows.iter().zip(&mut sums) {
            let wide = match row.as_chunks::<64>().0.first_chunk::<LINES>() {
                Some(lines) if LINES > 0 => sum_lines(lines, &known),
                _ => sum_avx512vnni(row, query),
            };
            *sum = _mm256_add_epi32(
                _mm512_castsi512_si256(wide),
                _mm512_extracti64x4_epi64::<1>(wide),
            );
        }
        store(rows, query, sums, dots);
    }
}

/// The query's registers, for the low and the high halves of each line.
#[inline]
#[target_feature(enable = "avx512f")]
fn known_lines<const LINES: usize>(query: &[i8]) -> [(__m512i, __m512i); LINES] {
    let mut known = [(_mm512_setzero_si512(), _mm512_setzero_si512()); LINES];
    for (known, query) in known.iter_mut().zip(query.as_chunks::<128>().0) {
        *known = load_query(query);
    }
    known
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_query(query: &[i8; 128]) -> (__m512i, __m512i) {
    // SAFETY: both loads read 64 of the array's 128 bytes.
    unsafe {
        (
            _mm512_loadu_si512(query.as_ptr().cast()),
            _mm512_loadu_si512(query.as_ptr().add(64).cast()),
        )
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
fn sum_lines<const LINES: usize>(
    lines: &[[u8; 64]; LINES],
    query: &[(__m512i, __m512i); LINES],
) -> __m512i {
    let mut sums = (_mm512_setzero_si512(), _mm512_setzero_si512());
    for (line, query) in lines.iter().zip(query) {
        sums = add_line(sums, line, *query);
    }
    _mm512_add_epi32(sums.0, sums.1)
}

#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
fn sum_avx512vnni(row: &[u8], query: &[i8]) -> __m512i {
    let mut sums = (_mm512_setzero_si512(), _mm512_setzero_si512());
    let lines = row
        .as_chunks::<64>()
        .0
        .iter()
        .zip(query.as_chunks::<128>().0);
    for (line, query) in lines {
        sums = add_line(sums, line, load_query(query));
    }
    _mm512_add_epi32(sums.0, sums.1)
}

/// Two sums, so that an addition does not wait for the one before it.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
fn add_line(
    sums: (__m512i, __m512i),
    line: &[u8; 64],
    query: (__m512i, __m512i),
) -> (__m512i, __m512i) {
    let half = _mm512_set1_epi8(15);
    // SAFETY: the load reads the line's 64 bytes.
    let codes = unsafe { _mm512_loadu_si512(line.as_ptr().cast()) };
    let low = _mm512_and_si512(codes, half);
    let high = _mm512_and_si512(_mm512_srli_epi32::<4>(codes), half);
    (
        _mm512_dpbusd_epi32(sums.0, low, query.0),
        _mm512_dpbusd_epi32(sums.1, high, query.1),
    )
}
