//! The network of the demo's encoder, read in place and run.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::Path;

use nearshelf_container::{Bytes, FileKind, FileWriter, Head};
use nearshelf_network::{Error, Network};

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
    network.write(&mut file);
    let bytes = Bytes::from(file.to_bytes()).aligned();
    let head = Head::read(FileKind::Network, &bytes).unwrap();
    let again = Network::open(&bytes, &head).unwrap();
    let text: &[u32] = &[2, 9, 8, 7, 3];
    assert_eq!(again.run(&[text]).unwrap(), network.run(&[text]).unwrap());
}
