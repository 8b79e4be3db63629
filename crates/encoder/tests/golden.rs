//! The parity contract: the demo's model gives the same vectors, bit for bit, wherever this runs.
//!
//! `NEARSHELF_ISA` chooses the instruction set, `NEARSHELF_BLESS` writes the golden file anew.

#![allow(clippy::unwrap_used, reason = "a test")]

#[allow(dead_code, reason = "what this test needs of it")]
mod demo;

use std::fs;

use demo::{network, root};
use nearshelf_container::sha256;
use nearshelf_encoder::{Bytes, Encoder, Isa};

fn encoder() -> Encoder {
    Encoder::from_network("demo", Bytes::from(network()), false).unwrap()
}

fn texts() -> Vec<String> {
    let texts = fs::read_to_string(root().join("tests/golden/varied-texts.txt")).unwrap();
    texts
        .strip_suffix('\n')
        .unwrap()
        .split('\n')
        .map(str::to_owned)
        .collect()
}

fn digest(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
    sha256(&bytes).to_string()[..16].to_owned()
}

#[test]
fn vectors_are_the_golden_ones() {
    let encoder = encoder();
    let fusion = encoder.fusion();
    assert!(fusion.complete(), "{fusion}");
    assert_eq!(fusion.layers, 4);
    if let Ok(asked) = std::env::var(Isa::VARIABLE) {
        assert_eq!(fusion.isa, asked, "this machine has {:?}", Isa::available());
    }
    let texts = texts();
    assert_eq!(texts.len(), 200);
    let digests: Vec<String> = texts
        .iter()
        .map(|text| digest(&encoder.encode(text).unwrap().vector))
        .collect();
    let path = root().join("tests/golden/varied-vectors.txt");
    if std::env::var_os("NEARSHELF_BLESS").is_some() {
        fs::write(&path, digests.join("\n") + "\n").unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap();
    for ((text, found), expected) in texts.iter().zip(&digests).zip(golden.lines()) {
        assert_eq!(found, expected, "{} on {}", text, fusion.isa);
    }
    assert_eq!(golden.lines().count(), digests.len());
}

#[test]
fn a_batch_gives_each_text_its_own_vector() {
    let encoder = encoder();
    let texts: Vec<String> = texts().into_iter().take(60).collect();
    let alone: Vec<_> = texts
        .iter()
        .map(|text| encoder.encode(text).unwrap())
        .collect();
    for threads in [1, 3] {
        assert_eq!(
            encoder.encode_batch(&texts, threads, &|_| ()).unwrap(),
            alone
        );
    }
    let reversed: Vec<&String> = texts.iter().rev().collect();
    let mut encoded = encoder.encode_batch(&reversed, 1, &|_| ()).unwrap();
    encoded.reverse();
    assert_eq!(encoded, alone);
}

#[test]
fn threads_share_an_encoder() {
    let encoder = encoder();
    let texts = texts();
    let expected: Vec<_> = texts[..20]
        .iter()
        .map(|t| encoder.encode(t).unwrap())
        .collect();
    std::thread::scope(|scope| {
        for offset in 0..4 {
            let (encoder, texts, expected) = (&encoder, &texts, &expected);
            scope.spawn(move || {
                for i in (0..20).map(|i| (i + 5 * offset) % 20) {
                    assert_eq!(encoder.encode(&texts[i]).unwrap(), expected[i]);
                }
            });
        }
    });
}
