//! Planes of bits: small numbers of 128 components, packed so that a register unpacks them by shifts.
//!
//! Component d of a block stands in byte d mod w, from bit b · (d div w) on, where b are its bits and w = 16 · b the
//! plane's bytes.

use super::rotation::BLOCK;

/// Bytes of a block's plane of `bits` bits.
pub const fn plane_bytes(bits: u32) -> usize {
    BLOCK / 8 * bits as usize
}

/// Adds the plane of bits `SHIFT` and the next, `BITS` of them, of each number.
pub fn pack<const BITS: u32, const SHIFT: u32>(numbers: &[u8; BLOCK], to: &mut Vec<u8>) {
    let width = plane_bytes(BITS);
    let start = to.len();
    to.resize(start + width, 0);
    for (d, number) in numbers.iter().enumerate() {
        let bits = number >> SHIFT & ((1 << BITS) - 1);
        to[start + d % width] |= bits << (BITS as usize * (d / width));
    }
}

/// Adds the bits of a plane to each number, from bit `SHIFT` on.
#[inline(always)]
pub fn unpack<const BITS: u32, const SHIFT: u32>(plane: &[u8], numbers: &mut [u8; BLOCK]) {
    let width = plane_bytes(BITS);
    let Some(plane) = plane.get(..width) else {
        return;
    };
    for (part, numbers) in numbers.chunks_exact_mut(width).enumerate() {
        for (number, byte) in numbers.iter_mut().zip(plane) {
            *number |= (byte >> (BITS * part as u32) & ((1 << BITS) - 1)) << SHIFT;
        }
    }
}
