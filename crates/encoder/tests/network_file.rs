//! The network file: the same vectors as the portable model that it was made of, and errors for what is damaged.

#![allow(clippy::unwrap_used, reason = "a test")]

#[allow(dead_code, reason = "what this test needs of it")]
mod demo;

use std::sync::LazyLock;

use demo::{model, network, root};
use nearshelf_container::{FileKind, Head, seal};
use nearshelf_encoder::{Bytes, Encoder, Error, ModelFiles, in_four_bits, network_file};
use proptest::prelude::*;

static FILE: LazyLock<Vec<u8>> = LazyLock::new(network);
/// The same with codes of 4 bits.
static FOUR: LazyLock<Vec<u8>> =
    LazyLock::new(|| in_four_bits("e.nsn", &Bytes::from(FILE.clone())).unwrap());

fn open(file: Vec<u8>) -> Result<Encoder, Error> {
    Encoder::from_network("e.nsn", Bytes::from(file), false)
}

fn with_portable<T>(run: impl FnOnce(&ModelFiles<'_>) -> T) -> T {
    run(&ModelFiles {
        config: Some(&model("encoder.json")),
        model: Bytes::from(model("model.onnx")),
        tokenizer: &model("tokenizer.json"),
        checked: false,
    })
}

fn texts() -> Vec<String> {
    let texts = std::fs::read_to_string(root().join("tests/golden/varied-texts.txt")).unwrap();
    texts.lines().map(str::to_owned).collect()
}

#[test]
fn the_portable_model_gives_the_same_bits_and_the_same_file() {
    let portable = with_portable(Encoder::from_onnx).unwrap();
    let network = open(FILE.clone()).unwrap();
    assert_eq!(network.config(), portable.config());
    assert_eq!(network.fusion(), portable.fusion());
    for text in texts() {
        let (a, b) = (network.encode(&text), portable.encode(&text));
        assert_eq!(a.unwrap(), b.unwrap(), "{text}");
    }
    assert!(with_portable(network_file).unwrap().unwrap() == *FILE);
}

#[test]
fn bytes_at_any_address_give_the_same_vector() {
    let expected = open(FILE.clone()).unwrap().encode("rain jacket").unwrap();
    for shift in [1, 4, 63] {
        let mut moved = vec![0; shift];
        moved.extend_from_slice(&FILE);
        let moved: &'static [u8] = moved.leak();
        let encoder = Encoder::from_network("e.nsn", Bytes::Static(&moved[shift..]), false);
        assert_eq!(encoder.unwrap().encode("rain jacket").unwrap(), expected);
    }
}

#[test]
fn flipped_bits_and_truncations_are_found() {
    let head = Head::read(FileKind::Network, &*FILE).unwrap();
    let body = head.sections().map(|s| s.range.start + s.range.len() / 2);
    let places: Vec<usize> = (0..head.bytes()).step_by(41).chain(body).collect();
    for (i, place) in places.into_iter().enumerate() {
        let mut damaged = FILE.clone();
        damaged[place] ^= 1 << (i % 8);
        let error = open(damaged).err().expect("a flipped bit").to_string();
        assert!(error.starts_with("e.nsn, "), "byte {place}: {error}");
    }
    for length in [0, 7, 8, 63, 64, 1000, head.bytes(), FILE.len() - 1] {
        let error = open(FILE[..length].to_vec()).err().unwrap().to_string();
        assert!(error.starts_with("e.nsn, header"), "{length}: {error}");
    }
}

/// The error of a file of which a section was changed.
fn forged(kind: &[u8; 4], index: u32, change: impl FnOnce(&mut [u8])) -> String {
    forged_of(&FILE, kind, index, change)
}

fn forged_of(file: &[u8], kind: &[u8; 4], index: u32, change: impl FnOnce(&mut [u8])) -> String {
    let head = Head::read(FileKind::Network, &file).unwrap();
    let range = head
        .find(nearshelf_container::Kind::new(kind), index)
        .unwrap();
    let mut file = file.to_vec();
    change(&mut file[range]);
    seal(&mut file);
    open(file).err().expect("a forged file").to_string()
}

#[test]
fn four_bits_are_nearly_the_same_encoder_and_the_same_again() {
    assert!(
        FOUR.len() * 100 < FILE.len() * 56,
        "{} bytes of {}",
        FOUR.len(),
        FILE.len()
    );
    let (eight, four) = (open(FILE.clone()).unwrap(), open(FOUR.clone()).unwrap());
    assert_eq!(four.config(), eight.config());
    let mut sum = 0.0;
    let texts = texts();
    for text in &texts {
        let [a, b] = [&eight, &four].map(|encoder| encoder.encode(text).unwrap());
        assert_eq!((a.tokens, a.unknown), (b.tokens, b.unknown), "{text}");
        let cosine: f32 = a.vector.iter().zip(&b.vector).map(|(a, b)| a * b).sum();
        assert!(cosine > 0.85, "{cosine} for {text:?}");
        sum += f64::from(cosine);
    }
    let mean = sum / texts.len() as f64;
    println!("mean cosine {mean}");
    assert!(mean > 0.95, "{mean}");
    let again = in_four_bits("e.nsn", &Bytes::from(FOUR.clone())).unwrap();
    assert!(again == *FOUR);
}

#[test]
fn forged_codes_of_four_bits_are_refused_by_name() {
    for (kind, index, place) in [
        (b"WGTM", 1, "section WGT4 1"),
        (b"WRDM", 0, "section WRD4 0"),
    ] {
        let error = forged_of(&FOUR, kind, index, |factors| factors.fill(200));
        assert!(
            error.contains(place) && error.contains("products of"),
            "{error}"
        );
    }
    let infinite = 0x7c00u16.to_le_bytes();
    let error = forged_of(&FOUR, b"POSH", 0, |halves| {
        halves[..2].copy_from_slice(&infinite)
    });
    assert!(error.contains("position embeddings"), "{error}");
}

#[test]
fn forged_numbers_are_refused_by_name() {
    let float =
        |value: f32| move |bytes: &mut [u8]| bytes[4..8].copy_from_slice(&value.to_le_bytes());
    for (error, part) in [
        (forged(b"SCAL", 5, float(f32::NAN)), "linear layer 5"),
        (forged(b"BIAS", 0, float(f32::INFINITY)), "linear layer 0"),
        (forged(b"MIDD", 3, float(f32::NAN)), "linear layer 3"),
        (forged(b"SCAL", 6, float(1e30)), "layer 1"),
        (forged(b"NRMW", 2, float(f32::NAN)), "layer norm 2"),
        (forged(b"NRMW", 8, float(1e9)), "embeddings"),
        (forged(b"WRDS", 0, float(f32::NAN)), "word embeddings"),
        (
            forged(b"POSI", 0, float(f32::NEG_INFINITY)),
            "position embeddings",
        ),
        (
            forged(b"WGHT", 1, |bytes| bytes[100] = 200),
            "linear layer 1",
        ),
        (forged(b"PIEI", 0, |bytes| bytes[3] = 9), "token ids below"),
        (forged(b"NETW", 0, |bytes| bytes[1] = 4), "linear layer 0"),
        (forged(b"TOKR", 0, |bytes| bytes.fill(0xff)), "section TOKR"),
    ] {
        assert!(
            error.starts_with("e.nsn") && error.contains(part),
            "{part}: {error}"
        );
    }
    let mut newer = FILE.clone();
    newer[12] = 9;
    seal(&mut newer);
    let error = open(newer).err().unwrap();
    assert_eq!(error.kind(), nearshelf_encoder::ErrorKind::TooNew);
    assert!(error.to_string().contains("needs version 9"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Checksums keep chance out, not malice.
    #[test]
    fn a_forged_file_never_panics(
        changes in prop::collection::vec((0usize..12_000, any::<u8>()), 1..6),
        far in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        four in any::<bool>(),
    ) {
        let mut file = if four { FOUR.clone() } else { FILE.clone() };
        for (at, value) in changes {
            file[at] = value;
        }
        for (at, value) in far {
            let at = at.index(file.len());
            file[at] = value;
        }
        seal(&mut file);
        if let Ok(encoder) = open(file) {
            let _ = encoder.encode("a warm rain jacket [SEP] for 3/4\" café");
        }
    }
}
