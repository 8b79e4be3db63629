//! Bytes that are not what was written: an error that says where, never a panic, never silence.

use std::fs;
use std::path::Path;

use nearshelf::{ErrorKind, Shelf};
use nearshelf_catalog::{Catalog, Manifest, SearchOptions};
use nearshelf_index::{All, Numbering, Query, Scratch, Shard, Slices};
use proptest::prelude::*;
use support::{demo, root};

fn golden() -> (Vec<u8>, Vec<u8>) {
    let directory = root().join("tests/golden/shelf-v1");
    let manifest = fs::read(directory.join("shelf.nsm")).unwrap();
    let name = Manifest::from_bytes("m", &manifest).unwrap().shards[0]
        .file
        .name
        .clone();
    (manifest, fs::read(directory.join(name)).unwrap())
}

/// Opens, verifies and searches; the first error.
fn use_all(manifest: &[u8], shard: &[u8]) -> Result<(), nearshelf_catalog::Error> {
    let manifest = Manifest::from_bytes("shelf.nsm", manifest)?;
    let query = vec![0.1; manifest.dims as usize];
    let mut catalog = Catalog::new(manifest);
    catalog.attach(0, shard.to_vec())?;
    // Not verified yet: whatever the damage, a search ends and gives hits or an error.
    for (k, ef) in [(10, Some(3)), (1, None), (100, None)] {
        let target = query.clone().into();
        let found = catalog.search(
            &target,
            &SearchOptions {
                k,
                ef,
                ..Default::default()
            },
        )?;
        for hit in found.hits {
            let _ = hit.fields().count();
        }
    }
    catalog.verify()
}

#[test]
fn every_flipped_bit_of_a_shard_and_a_manifest_is_found() {
    let (manifest, shard) = golden();
    use_all(&manifest, &shard).unwrap();
    for bit in 0..8 * manifest.len() {
        let mut damaged = manifest.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(
            use_all(&damaged, &shard).is_err(),
            "bit {bit} of the manifest"
        );
    }
    for bit in 0..8 * shard.len() {
        let mut damaged = shard.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(
            use_all(&manifest, &damaged).is_err(),
            "bit {bit} of the shard"
        );
    }
}

/// The golden shelf's catalog, its words from these bytes.
fn with_words(words: &[u8]) -> Result<Catalog<Vec<u8>>, nearshelf_catalog::Error> {
    let (manifest, shard) = golden();
    let mut catalog = Catalog::new(Manifest::from_bytes("m", &manifest)?);
    catalog.attach(0, shard)?;
    catalog.attach_words(words.to_vec().into())?;
    Ok(catalog)
}

/// Looks for words of every kind: known, unknown, unfinished, an identifier, a synonym.
fn search_words(catalog: &Catalog<Vec<u8>>) {
    let Some(words) = catalog.words() else {
        return;
    };
    for text in [
        "größe 7",
        "grösse",
        "gr",
        "item-3",
        "extent",
        "gröse gröst 99",
    ] {
        for typing in [false, true] {
            let query = words.query(text, typing);
            let found = catalog.search(&query.clone().into(), &SearchOptions::default());
            for hit in found.unwrap().hits {
                let _ = hit.is_weak();
            }
            let _ = words.matches(&query, "Größe 7");
        }
        let _ = words.suggest(text, 5);
    }
}

fn golden_words() -> Vec<u8> {
    let (manifest, _) = golden();
    let manifest = Manifest::from_bytes("m", &manifest).unwrap();
    let name = manifest.words.unwrap().file.name;
    fs::read(root().join("tests/golden/shelf-v1").join(name)).unwrap()
}

#[test]
fn every_flipped_bit_of_the_words_is_found_and_named() {
    let words = golden_words();
    with_words(&words).unwrap().verify().unwrap();
    for bit in 0..8 * words.len() {
        let mut damaged = words.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let verified = with_words(&damaged).and_then(|catalog| {
            search_words(&catalog);
            catalog.verify()
        });
        let message = verified.expect_err("a flipped bit").to_string();
        assert!(message.contains(".nsw"), "bit {bit}: {message}");
    }
    for length in 0..words.len() {
        assert!(with_words(&words[..length]).is_err());
    }
}

#[test]
fn every_truncation_is_found_when_opening() {
    let (manifest, shard) = golden();
    for length in 0..manifest.len() {
        assert!(Manifest::from_bytes("m", &manifest[..length]).is_err());
    }
    for length in 0..shard.len() {
        assert!(Shard::open(&shard[..length]).is_err());
    }
}

#[test]
fn errors_name_the_file_the_place_and_both_values() {
    let (manifest, shard) = golden();
    let error = |manifest: &[u8], shard: &[u8]| use_all(manifest, shard).unwrap_err().to_string();

    let message = error(&manifest, &shard[..shard.len() - 1]);
    assert!(
        message.contains(".nss: expected") && message.contains("bytes (by the manifest)"),
        "{message}"
    );

    let mut newer = manifest.clone();
    newer[12] = 9;
    let message = error(&newer, &shard);
    assert!(
        message.contains("shelf.nsm, header, byte 12") && message.contains("needs version 9"),
        "{message}"
    );

    let mut newer = shard.clone();
    newer[12] = 9;
    let message = error(&manifest, &newer);
    assert!(
        message.contains(".nss, header, byte 12") && message.contains("needs version 9"),
        "{message}"
    );

    let mut damaged = shard.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let message = error(&manifest, &damaged);
    assert!(
        message.contains(".nss, section") && message.contains("expected checksum"),
        "{message}"
    );

    let message = error(b"<!doctype html>", &shard);
    assert!(
        message.contains("shelf.nsm, header, byte 0: expected the magic"),
        "{message}"
    );
}

#[test]
fn a_flipped_bit_in_any_file_of_a_real_shelf_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    for entry in fs::read_dir(demo()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_owned();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if let Some("nsi" | "nsf") = extension {
            // For tools and for pages: no shelf opens them.
            continue;
        }
        fs::copy(&path, directory.path().join(&name)).unwrap();
        names.push(name);
    }
    Shelf::open(directory.path()).unwrap().verify().unwrap();
    for name in names {
        let path = directory.path().join(&name);
        let length = fs::metadata(&path).unwrap().len() as usize;
        for at in [0, length / 3, length / 2, length - 1] {
            flip(&path, at);
            let verified = Shelf::open(directory.path()).and_then(|shelf| shelf.verify());
            let message = verified.expect_err("a flipped bit").to_string();
            assert!(
                message.contains(name.to_str().unwrap()),
                "{name:?}, byte {at}: {message}"
            );
            flip(&path, at);
        }
    }
    Shelf::open(directory.path()).unwrap().verify().unwrap();
}

#[test]
fn a_flipped_bit_in_a_file_that_no_shelf_opens_is_found_as_well() {
    let shelf = Shelf::open(demo()).unwrap();
    let files: Vec<_> = shelf.manifest().other_files().collect();
    assert_eq!(files.len(), 2);
    for file in files {
        let mut bytes = fs::read(demo().join(&file.name)).unwrap();
        file.verify(&bytes).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        let error = file.verify(&bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Altered);
        assert!(error.to_string().contains(&file.name), "{error}");
    }
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 4;
    fs::write(path, bytes).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn arbitrary_bytes_are_no_shelf(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(Shard::open(bytes.as_slice()).is_err());
        prop_assert!(Manifest::from_bytes("m", &bytes).is_err());
    }

    /// Words that a forger gave fresh checksums, in the file that all shards share and in a shard.
    #[test]
    fn forged_words_can_be_searched_without_a_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        in_shard in any::<bool>(),
    ) {
        let (manifest, mut shard) = golden();
        let mut words = golden_words();
        let bytes = if in_shard { &mut shard } else { &mut words };
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        nearshelf_container::seal(bytes);
        let mut catalog = Catalog::new(Manifest::from_bytes("m", &manifest).unwrap());
        if catalog.attach(0, shard).is_ok() && catalog.attach_words(words.into()).is_ok() {
            search_words(&catalog);
        }
    }

    /// Checksums keep chance out, not malice: content that a forger gave fresh checksums.
    #[test]
    fn a_forged_shard_can_be_searched_without_a_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)
    ) {
        let (_, mut shard) = golden();
        for (at, value) in changes {
            let at = at.index(shard.len());
            shard[at] = value;
        }
        nearshelf_container::seal(&mut shard);
        if let Ok(shard) = Shard::open(shard.as_slice()) {
            let query = Query::new(&vec![0.5; shard.dims()]).unwrap();
            let numbering = Numbering::new([shard.len() as u32]);
            let mut slices = Slices::new(&numbering, shard.dims());
            slices.add(0, shard.slice().unwrap());
            let walked = slices.walk(&query, 10, &All, &mut Scratch::default());
            for candidate in walked.best {
                let _ = shard.score(&query, candidate.item as usize);
            }
            let _ = shard.verify();
        }
    }
}
