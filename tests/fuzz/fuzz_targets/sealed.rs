//! Bytes of a fuzzer as they came, and with the digests that fit them.

use nearshelf_container::seal;

/// Gives `work` the bytes, and then once more with checksums that fit, or nothing behind them would ever be reached.
pub fn as_is_and_sealed(data: &[u8], work: impl Fn(&[u8])) {
    work(data);
    let mut forged = data.to_vec();
    seal(&mut forged);
    work(&forged);
}
