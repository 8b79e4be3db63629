//! The network of the demo's encoder, read in place and run.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::Path;

use nearshelf_container::{Bytes, FileKind, FileWriter, Head};
use nearshelf_network::{Bits, Error, Network};

fn demo() -> Network {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/demo");
    let mut files = std::fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().path());
    let path = files.find(|path| path.extension().is_some_and(|e| e == "nsn"));
    let bytes = Bytes::map(&path.unwrap()).unwrap();
    let head = Head::read(FileKind::Network, &bytes).unwrap();
    Network::open(&bytes, &head).unwrap()
}

#[test]
fn a_text_is_the_same_alone_and_among_others() {
    let network = demo();
    let texts: [&[u32]; 3] = [&[2, 30, 400, 3], &[2, 3], &[2, 77, 78, 79, 80, 81, 3]];
    let together = network.run(&texts).unwrap();
    let alone: Vec<f32> = texts
        .iter()
        .flat_map(|text| network.run(&[text]).unwrap())
        .collect();
    assert_eq!(together, alone);
    assert_eq!(together.len(), 13 * network.channels());
    // What comes out of a layer norm: neither nothing nor everything alike.
    let row = &together[..network.channels()];
    let mean = row.iter().sum::<f32>() / row.len() as f32;
    let spread = row.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / row.len() as f32;
    assert!(
        spread > 1e-4 && row.iter().all(|x| x.is_finite()),
        "{spread}"
    );
    // Where a token stands, and beside which, matters.
    let turned = network.run(&[&[2, 400, 30, 3]]).unwrap();
    assert_ne!(turned[..network.channels()], together[..network.channels()]);
}

#[test]
fn what_the_network_does_not_have_is_an_error() {
    let network = demo();
    let beyond = network.vocabulary() as u32;
    assert!(
        matches!(network.run(&[&[2, beyond, 3]]), Err(Error::Token { id, .. }) if id == beyond)
    );
    let long = vec![5; network.positions() + 1];
    assert!(matches!(network.run(&[&long]), Err(Error::Position { .. })));
}

#[test]
fn what_is_written_is_read_again() {
    let network = demo();
    let mut file = FileWriter::new(FileKind::Network, Vec::new());
    network.write(&mut file, Bits::Eight);
    let bytes = Bytes::from(file.to_bytes()).aligned();
    let head = Head::read(FileKind::Network, &bytes).unwrap();
    let again = Network::open(&bytes, &head).unwrap();
    let text: &[u32] = &[2, 9, 8, 7, 3];
    assert_eq!(again.run(&[text]).unwrap(), network.run(&[text]).unwrap());
}

/// The same network in 4 bits: half of the bytes, vectors that are near, and the same of a file that has them already.
#[test]
fn in_four_bits_it_is_half_as_large_and_nearly_the_same() {
    let network = demo();
    let write = |network: &Network, bits| {
        let mut file = FileWriter::new(FileKind::Network, Vec::new());
        network.write(&mut file, bits);
        let bytes = Bytes::from(file.to_bytes()).aligned();
        let head = Head::read(FileKind::Network, &bytes).unwrap();
        (Network::open(&bytes, &head).unwrap(), bytes)
    };
    let (_, eight) = write(&network, Bits::Eight);
    let (coarse, four) = write(&network, Bits::Four);
    println!("{} bytes of {}", four.len(), eight.len());
    assert!(four.len() * 100 < eight.len() * 56);
    let text: &[u32] = &[2, 9, 8, 7, 3];
    let [a, b] = [&network, &coarse].map(|network| network.run(&[text]).unwrap());
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let cosine = dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt();
    println!("cosine {cosine}");
    assert!(cosine > 0.95 && a != b);
    // Its own codes are 4 bits already, and kernels read them as those of any other file.
    let (again, same) = write(&coarse, Bits::Four);
    assert_eq!(again.run(&[text]).unwrap(), b);
    assert!(same[..] == four[..]);
    let (whole, _) = write(&coarse, Bits::Eight);
    assert_eq!(whole.run(&[text]).unwrap(), b);
}
