//! Arbitrary bytes as a network file: opened and run, or refused, without a panic.
#![no_main]

mod sealed;

use libfuzzer_sys::fuzz_target;
use nearshelf_encoder::{Bytes, Encoder};

fuzz_target!(|data: &[u8]| sealed::as_is_and_sealed(data, use_all));

fn use_all(data: &[u8]) {
    if let Ok(encoder) = Encoder::from_network("fuzz", Bytes::from(data.to_vec()), false) {
        let _ = encoder.encode("A warm [SEP] jacket, 3/4\" – café 雨衣");
    }
}
