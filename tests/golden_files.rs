//! A shelf of format version 1 that was written once, and has to open for ever.

use std::fs;
use std::path::PathBuf;

use nearshelf_catalog::{
    Catalog, Columns, EncoderFiles, Field, FieldKind, FieldStats, FileRef, Manifest,
    SearchDefaults, SearchOptions, ShardRef, Value, ValueRef,
};
use nearshelf_index::{CodedVectors, Links, Precision, ShardBuilder};
use support::root;

const DIMS: usize = 24;
const ITEMS: usize = 40;

fn golden(name: &str) -> PathBuf {
    root().join("tests/golden/shelf-v1").join(name)
}

/// Item i's vector: mostly along axis i mod 24, so that neighbours are known.
fn vector(i: usize) -> Vec<f32> {
    let mut vector = vec![0.0; DIMS];
    vector[i % DIMS] = 0.8;
    vector[(i / DIMS + i + 1) % DIMS] += 0.6;
    vector
}

const KINDS: [FieldKind; 4] = [
    FieldKind::Text,
    FieldKind::Number,
    FieldKind::Bool,
    FieldKind::Tags,
];

/// Item i's values, `[items][fields]`.
fn values() -> Vec<Vec<Option<Value>>> {
    let row = |i: usize| {
        vec![
            Some(Value::Text(format!("Größe {i}"))),
            (!i.is_multiple_of(3)).then_some(Value::Number(i as f64 / 4.0)),
            Some(Value::Bool(i.is_multiple_of(2))),
            Some(Value::Tags(
                (0..i % 3).map(|t| format!("tag {t}")).collect(),
            )),
        ]
    };
    (0..ITEMS).map(row).collect()
}

fn shard(rows: &[&[Option<Value>]]) -> Vec<u8> {
    let mut vectors = CodedVectors::new(DIMS, Precision::FourFour);
    (0..ITEMS).for_each(|i| vectors.push(&vector(i)));
    let steps = [1, 2, 3, 24, 25, 37, 38, 39];
    let of = |i: usize| steps.map(|step| ((i + step) % ITEMS) as u32);
    let links: Vec<[u32; 8]> = (0..ITEMS).map(of).collect();
    let links = Links::new(links.iter().map(<[u32; 8]>::as_slice)).unwrap();
    let mut shard = ShardBuilder::new(&vectors, &links, 4).unwrap();
    let ids: Vec<String> = (0..ITEMS).map(|i| format!("item-{i}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    Columns::write(&mut shard, &ids, &KINDS, rows).unwrap();
    shard.to_bytes()
}

/// The manifest and the shard of the golden shelf.
fn write() -> (Vec<u8>, Vec<u8>) {
    let values = values();
    let rows: Vec<&[Option<Value>]> = values.iter().map(Vec::as_slice).collect();
    let shard = shard(&rows);
    let names = ["name", "price", "even", "tags"];
    let stats: Vec<FieldStats> = KINDS
        .iter()
        .enumerate()
        .map(|(i, &kind)| FieldStats::of(kind, rows.iter().map(|row| row[i].as_ref())))
        .collect();
    let mut centroid = vec![0.0; DIMS];
    centroid[0] = 1.0;
    let manifest = Manifest {
        built_by: "0.1.0".into(),
        seed: 7,
        dims: DIMS as u32,
        id_field: "id".into(),
        text_fields: vec!["name".into()],
        fields: names
            .iter()
            .zip(KINDS)
            .zip(&stats)
            .map(|((name, kind), &stats)| Field {
                name: name.to_string(),
                kind,
                stats,
            })
            .collect(),
        encoder: EncoderFiles::Onnx {
            config: FileRef::of("encoder", "json", b"{}"),
            model: FileRef::of("model", "onnx", b""),
            tokenizer: FileRef::of("tokenizer", "json", b"{}"),
        },
        shards: vec![ShardRef {
            file: FileRef::of("shard-0000", "nss", &shard),
            items: ITEMS as u32,
            centroid,
            stats,
        }],
        search: SearchDefaults {
            probe: 1,
            ef: 5,
            measured: vec![],
        },
    };
    (manifest.to_bytes(), shard)
}

#[test]
fn a_shelf_of_version_1_opens_verifies_and_answers() {
    let manifest =
        Manifest::from_bytes("shelf.nsm", &fs::read(golden("shelf.nsm")).unwrap()).unwrap();
    let shard = fs::read(golden(&manifest.shards[0].file.name)).unwrap();
    let mut catalog = Catalog::new(manifest);
    catalog.attach(0, shard).unwrap();
    catalog.verify().unwrap();

    for i in 0..ITEMS {
        // `ef` small enough that the graph is walked.
        let options = SearchOptions {
            k: 1,
            probe: None,
            ef: Some(4),
            ..Default::default()
        };
        let found = catalog.search(&vector(i).into(), &options).unwrap();
        let hit = found.hits[0];
        assert_eq!(hit.id, format!("item-{i}"));
        assert!((hit.score - 1.0).abs() < 5e-3, "{}", hit.score);
        assert_eq!(
            hit.field("name"),
            Some(ValueRef::Text(&format!("Größe {i}")))
        );
        let price = (!i.is_multiple_of(3)).then_some(ValueRef::Number(i as f64 / 4.0));
        assert_eq!(hit.field("price"), price);
        assert_eq!(hit.field("even"), Some(ValueRef::Bool(i % 2 == 0)));
        assert_eq!(
            hit.field("tags"),
            Some(ValueRef::Tags(["tag 0", "tag 1"][..i % 3].to_vec()))
        );
        assert_eq!(hit.field("none"), None);
    }
}

#[test]
fn the_same_content_is_written_as_the_same_bytes() {
    let (manifest, shard) = write();
    let name = Manifest::from_bytes("new", &manifest).unwrap().shards[0]
        .file
        .name
        .clone();
    // Only ever set to make the golden files of a new format version.
    if std::env::var_os("NEARSHELF_BLESS").is_some() {
        fs::create_dir_all(golden("")).unwrap();
        fs::write(golden("shelf.nsm"), &manifest).unwrap();
        fs::write(golden(&name), &shard).unwrap();
    }
    assert_eq!(fs::read(golden("shelf.nsm")).unwrap(), manifest);
    assert_eq!(fs::read(golden(&name)).unwrap(), shard);
}
