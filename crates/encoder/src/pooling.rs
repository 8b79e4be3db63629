//! Token vectors as one unit vector.

use crate::config::{Head, Pooling};

/// One unit vector of a text's token vectors `[tokens][dims]`, added in the order of the tokens.
pub(crate) fn pool(hidden: &[f32], dims: usize, pooling: Pooling) -> Vec<f32> {
    let mut vector = vec![0f32; dims];
    let tokens = match pooling {
        Pooling::Mean => hidden,
        Pooling::Cls => &hidden[..dims.min(hidden.len())],
    };
    for token in tokens.chunks_exact(dims) {
        for (sum, x) in vector.iter_mut().zip(token) {
            *sum += x;
        }
    }
    normalize(&mut vector);
    vector
}

/// The heads' vectors side by side.
pub(crate) fn fuse(hidden: &[f32], dims: usize, heads: &[Head]) -> Vec<f32> {
    let total: f64 = heads.iter().map(|h| f64::from(h.weight)).sum();
    let parts = heads.iter().flat_map(|head| {
        let share = (f64::from(head.weight) / total).sqrt() as f32;
        pool(hidden, dims, head.pooling)
            .into_iter()
            .map(move |x| x * share)
    });
    parts.collect()
}

/// Brings a vector to length 1; one of zeros stays. The sum of squares is made in f64, in order.
pub(crate) fn normalize(vector: &mut [f32]) {
    let norm = vector
        .iter()
        .map(|&x| f64::from(x) * f64::from(x))
        .sum::<f64>()
        .sqrt();
    if norm > 0.0 {
        for x in vector {
            *x = (f64::from(*x) / norm) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_has_length_one() {
        let vector = pool(&[1.0, 0.0, 1.0, 2.0], 2, Pooling::Mean);
        assert!((vector[0] - 0.5f32.sqrt()).abs() < 1e-6 && vector[0] == vector[1]);
    }

    #[test]
    fn cls_is_the_first_token() {
        assert_eq!(pool(&[0.0, 3.0, 5.0, 5.0], 2, Pooling::Cls), [0.0, 1.0]);
    }

    #[test]
    fn products_of_fused_vectors_are_the_weighted_mean_of_the_heads() {
        let (a, b) = ([1.0, 2.0, 3.0, -1.0], [0.5, 0.25, -1.0, 4.0]);
        let heads = [(Pooling::Mean, 3.0), (Pooling::Cls, 1.0)];
        let heads = heads.map(|(pooling, weight)| Head { pooling, weight });
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let head = |p| dot(&pool(&a, 2, p), &pool(&b, 2, p));
        let found = dot(&fuse(&a, 2, &heads), &fuse(&b, 2, &heads));
        let expected = 0.75 * head(Pooling::Mean) + 0.25 * head(Pooling::Cls);
        assert!((found - expected).abs() < 1e-6);
    }

    #[test]
    fn zeros_stay_zeros() {
        assert_eq!(pool(&[0.0; 4], 2, Pooling::Mean), [0.0; 2]);
    }
}
