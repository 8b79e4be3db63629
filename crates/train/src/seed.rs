//! Seeds made of seeds.

use xxhash_rust::xxh3::xxh3_64;

/// A seed of two.
pub(crate) fn mix(seed: u64, number: u64) -> u64 {
    xxh3_64(&[seed.to_le_bytes(), number.to_le_bytes()].concat())
}
