//! The rotation that every vector goes through before it is coded.
//!
//! Three times, components change their sign by a fixed pattern and blocks of 128 go through a Hadamard transform;
//! between the rounds the blocks are dealt into each other. Distances stay; what an encoder puts into a few large
//! components is spread over all of them. Additions are in f32 in one order, the same bits on every target.

/// Components of a block.
pub const BLOCK: usize = 128;
const ROUNDS: usize = 3;
/// (1/√128)³: what makes the three transforms a rotation.
const SCALE: f32 = 0.000_690_533_97;

/// Components of a rotated vector: those of the vector, filled up to whole blocks.
pub const fn padded(dims: usize) -> usize {
    dims.next_multiple_of(BLOCK)
}

/// Bytes of the codes that walks compare, of a vector of `dims` components: half a byte a rotated component.
pub const fn row_bytes(dims: usize) -> usize {
    padded(dims) / 2
}

/// A vector as it is coded, `[padded(dims)]`.
pub fn rotate(vector: &[f32]) -> Vec<f32> {
    let mut x = vec![0f32; padded(vector.len())];
    x[..vector.len()].copy_from_slice(vector);
    let mut dealt = vec![0f32; x.len()];
    for round in 0..ROUNDS {
        if round > 0 {
            deal(&x, &mut dealt);
            std::mem::swap(&mut x, &mut dealt);
        }
        change_signs(&mut x, round);
        for block in x.as_chunks_mut().0 {
            hadamard(block);
        }
    }
    for x in &mut x {
        *x *= SCALE;
    }
    x
}

/// The vector of `dims` components whose rotation this is.
pub fn rotate_back(rotated: &[f32], dims: usize) -> Vec<f32> {
    let mut x = rotated.to_vec();
    let mut gathered = vec![0f32; x.len()];
    for round in (0..ROUNDS).rev() {
        for block in x.as_chunks_mut().0 {
            hadamard(block);
        }
        change_signs(&mut x, round);
        if round > 0 {
            gather(&x, &mut gathered);
            std::mem::swap(&mut x, &mut gathered);
        }
    }
    for x in &mut x {
        *x *= SCALE;
    }
    x.truncate(dims);
    x
}

/// Component j of block i goes to place j · blocks + i.
fn deal(from: &[f32], to: &mut [f32]) {
    let blocks = from.len() / BLOCK;
    for (i, block) in from.chunks_exact(BLOCK).enumerate() {
        for (x, to) in block.iter().zip(to[i..].iter_mut().step_by(blocks)) {
            *to = *x;
        }
    }
}

/// The way back from [`deal`].
fn gather(from: &[f32], to: &mut [f32]) {
    let blocks = from.len() / BLOCK;
    for (i, block) in to.chunks_exact_mut(BLOCK).enumerate() {
        for (x, from) in block.iter_mut().zip(from[i..].iter().step_by(blocks)) {
            *x = *from;
        }
    }
}

/// Multiplies component i by the sign of a hash of i and the round.
fn change_signs(x: &mut [f32], round: usize) {
    let start = round as u32 * 0x1_0001;
    for (i, x) in x.iter_mut().enumerate() {
        let mut hash = (i as u32 + start).wrapping_mul(0x9e37_79b1);
        hash = (hash ^ hash >> 15).wrapping_mul(0x85eb_ca77);
        hash ^= hash >> 13;
        *x = f32::from_bits(x.to_bits() ^ hash & 0x8000_0000);
    }
}

/// The Walsh–Hadamard transform, without its scale.
fn hadamard(x: &mut [f32; BLOCK]) {
    let mut half = BLOCK / 2;
    while half > 0 {
        for pair in x.chunks_exact_mut(2 * half) {
            let (a, b) = pair.split_at_mut(half);
            for (a, b) in a.iter_mut().zip(b) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half /= 2;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dot_f32;

    proptest! {
        #[test]
        fn lengths_and_angles_stay(
            pair in prop::collection::vec((-1f32..1f32, -1f32..1f32), 1..900)
        ) {
            let (a, b): (Vec<f32>, Vec<f32>) = pair.into_iter().unzip();
            let (ra, rb) = (rotate(&a), rotate(&b));
            let close = |x: f32, y: f32| (x - y).abs() < 1e-3 + 1e-5 * x.abs();
            prop_assert!(close(dot_f32(&a, &a), dot_f32(&ra, &ra)));
            prop_assert!(close(dot_f32(&a, &b), dot_f32(&ra, &rb)));
            for (x, y) in a.iter().zip(rotate_back(&ra, a.len())) {
                prop_assert!((x - y).abs() < 1e-5, "{x} came back as {y}");
            }
        }
    }

    #[test]
    fn one_large_component_is_spread_over_all() {
        for dims in [384, 768, 1024] {
            let mut vector = vec![0f32; dims];
            vector[5] = 1.0;
            let rotated = rotate(&vector);
            let largest = rotated.iter().fold(0f32, |max, x| max.max(x.abs()));
            assert!(largest < 8.0 / (dims as f32).sqrt(), "{dims}: {largest}");
        }
    }
}
