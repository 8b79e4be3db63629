//! Whether one system is better than another, by the queries that both answered.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::metrics::Interval;

/// Resamples and permutations.
const ROUNDS: usize = 10_000;

/// A paired comparison.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Comparison {
    /// Queries that both have.
    pub queries: usize,
    /// The mean of a - b.
    pub difference: f64,
    /// Where the difference lies: the middle 95 % of the paired bootstrap (Efron and Tibshirani 1993).
    pub interval: Interval,
    /// Two-sided p of the paired bootstrap: how often a resample of the differences, shifted to a mean of
    /// 0, is as far from 0.
    pub p_bootstrap: f64,
    /// Two-sided p of the paired permutation test (Fisher 1935; Smucker et al. 2007): how often random
    /// signs of the differences give a mean as far from 0.
    pub p_permutation: f64,
}

/// Compares a with b, query by query. The same numbers and seed give the same result.
pub fn compare(a: &[f64], b: &[f64], seed: u64) -> Comparison {
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let count = differences.len();
    let mean = |sum: f64| sum / count.max(1) as f64;
    let difference = mean(differences.iter().sum());
    // As far from 0 but for the rounding of a sum in another order.
    let limit = difference.abs() - 1e-12;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut means = Vec::with_capacity(ROUNDS);
    let (mut bootstrap, mut permutation) = (1, 1);
    for _ in 0..ROUNDS {
        let resample = (0..count).map(|_| differences[rng.random_range(0..count)]);
        let resampled = mean(resample.sum());
        bootstrap += usize::from((resampled - difference).abs() >= limit);
        means.push(resampled);
        let signed = differences
            .iter()
            .map(|d| if rng.random() { *d } else { -d });
        permutation += usize::from(mean(signed.sum()).abs() >= limit);
    }
    means.sort_by(f64::total_cmp);
    let p = |extreme: usize| extreme as f64 / (ROUNDS + 1) as f64;
    Comparison {
        queries: count,
        difference,
        interval: Interval {
            low: means[ROUNDS / 40],
            high: means[ROUNDS - 1 - ROUNDS / 40],
        },
        p_bootstrap: p(bootstrap),
        p_permutation: p(permutation),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_systems_do_not_differ() {
        let a = [0.1, 0.9, 0.4];
        let found = compare(&a, &a, 1);
        assert_eq!(
            (found.difference, found.p_permutation, found.p_bootstrap),
            (0.0, 1.0, 1.0)
        );
    }

    /// With n differences of one sign, two of 2^n signings are as extreme: p = 2^(1 - n).
    #[test]
    fn p_is_that_of_all_signings() {
        let (a, b) = ([0.5; 6], [0.4; 6]);
        let found = compare(&a, &b, 2);
        assert!(
            (found.p_permutation - 2f64.powi(-5)).abs() < 0.005,
            "{found:?}"
        );
        assert!((found.difference - 0.1).abs() < 1e-12);
    }

    #[test]
    fn a_clear_difference_is_significant_and_noise_is_not() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let a: Vec<f64> = (0..400).map(|_| rng.random_range(0.0..1.0)).collect();
        let noise: Vec<f64> = a.iter().map(|x| x + rng.random_range(-0.3..0.3)).collect();
        let better: Vec<f64> = a.iter().map(|x| x + rng.random_range(-0.2..0.3)).collect();
        let same = compare(&noise, &a, 4);
        assert!(
            same.p_permutation > 0.01 && same.p_bootstrap > 0.01,
            "{same:?}"
        );
        let found = compare(&better, &a, 4);
        assert!(
            found.p_permutation < 0.001 && found.p_bootstrap < 0.001,
            "{found:?}"
        );
        assert!(found.interval.low > 0.0 && found.interval.high > found.difference);
    }
}
