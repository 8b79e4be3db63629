//! The same input gives the same bytes, on any number of threads.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use nearshelf_build::{BuildOptions, Model, NoProgress, build};
use support::demo_model;

/// Items enough for several shards.
fn items(path: &Path) {
    let words = [
        "red", "warm", "leather", "tiny", "garden", "steel", "travel", "silk", "kids", "oak",
    ];
    let things = [
        "boots", "lamp", "tent", "mug", "jacket", "chair", "knife", "scarf", "bag",
    ];
    let lines: String = (0..700)
        .map(|i| {
            let (a, b, c) = (words[i % 10], words[i / 10 % 10], things[i % 9]);
            format!(
                "{{\"id\":\"{i}\",\"title\":\"{a} {b} {c} {i}\",\"price\":{}.5}}\n",
                i % 50
            )
        })
        .collect();
    fs::write(path, lines).unwrap();
}

fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                fs::read(path).unwrap(),
            )
        })
        .collect()
}

#[test]
fn threads_change_nothing_and_the_seed_does() {
    let directory = tempfile::tempdir().unwrap();
    let catalog = directory.path().join("items.jsonl");
    items(&catalog);
    let directory_of_model = demo_model();
    let model = Model::open(directory_of_model.path()).unwrap();
    let shelf = |threads: usize, seed: u64| {
        let out = directory.path().join(format!("shelf-{threads}-{seed}"));
        let options = BuildOptions {
            shard_size: 200,
            threads,
            seed,
            ..Default::default()
        };
        let built = build(&catalog, &model, &out, &options, &NoProgress).unwrap();
        assert_eq!(built.manifest.items(), 700);
        assert!(built.manifest.shards.len() >= 4);
        files(&out)
    };
    let alone = shelf(1, 1);
    assert!(
        alone == shelf(3, 1),
        "three threads gave other bytes than one"
    );
    assert!(alone != shelf(3, 2), "another seed gave the same bytes");
}
