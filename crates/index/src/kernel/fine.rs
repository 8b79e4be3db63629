//! The sum behind a final score.

use crate::codes::{BLOCK, Codes, Precision};

/// Σ value · query over all components, the values in units of the precision.
pub fn dot_fine(codes: Codes<'_>, precision: Precision, query: &[i16]) -> i64 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: AVX2 was detected.
        return unsafe { with_avx2(codes, precision, query) };
    }
    sum(codes, precision, query)
}

/// # Safety
/// The machine has AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn with_avx2(codes: Codes<'_>, precision: Precision, query: &[i16]) -> i64 {
    sum(codes, precision, query)
}

#[inline(always)]
fn sum(codes: Codes<'_>, precision: Precision, query: &[i16]) -> i64 {
    let query = query.as_chunks::<BLOCK>().0;
    let mut total = 0;
    codes.blocks(precision, |block, values| {
        let Some(query) = query.get(block) else {
            return;
        };
        // 64 products of at most 607 · 32767 fit in 32 bits.
        for (values, query) in values
            .chunks_exact(BLOCK / 2)
            .zip(query.chunks_exact(BLOCK / 2))
        {
            let products = values.iter().zip(query);
            let sum: i32 = products.map(|(&v, &q)| i32::from(v) * i32::from(q)).sum();
            total += i64::from(sum);
        }
    });
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_values_do_not_overflow() {
        for precision in Precision::ALL {
            let coarse = [0xff; 64];
            let residuals = [0xff; 80];
            let bytes = 16 * precision.residual_bits() as usize;
            let codes = Codes {
                coarse: &coarse,
                residuals: &residuals[..bytes],
            };
            for extreme in [-32767, 32767] {
                let sum = 128 * i64::from(precision.largest()) * i64::from(extreme);
                assert_eq!(dot_fine(codes, precision, &[extreme as i16; 128]), sum);
            }
        }
    }
}
