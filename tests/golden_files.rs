//! A shelf of format version 1 that was written once, and has to open for ever.

use std::fs;
use std::path::PathBuf;

use nearshelf_catalog::{
    Catalog, Chance, Changes, Columns, EncoderFiles, Field, FieldChanges, FieldKind, FieldStats,
    FileRef, FrontRef, Manifest, SearchDefaults, SearchOptions, ShardRef, Value, ValueRef,
    WordsRef,
};
use nearshelf_index::{CodedVectors, Links, Precision, Shard, ShardBuilder};
use nearshelf_lexical::{Analyzer, CatalogWords, Language, WordsWriter};
use support::root;

const DIMS: usize = 24;
const ITEMS: usize = 40;
const GONE: usize = 38;

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

/// New prices of two items, and one that is gone.
fn changes() -> Vec<u8> {
    let prices = FieldChanges {
        field: 1,
        kind: FieldKind::Number,
        values: vec![(4, Some(Value::Number(99.5))), (5, None)],
    };
    let changes = Changes {
        gone: vec![GONE as u32],
        fields: vec![prices],
    };
    changes.to_bytes()
}

fn price(i: usize) -> Option<f64> {
    match i {
        4 => Some(99.5),
        5 => None,
        _ => (!i.is_multiple_of(3)).then_some(i as f64 / 4.0),
    }
}

/// The words of the names: a number that all have, and one of their own.
fn words() -> CatalogWords {
    let fields = [("name".to_owned(), 2.0)];
    let exact = ["id".to_owned()];
    let synonyms = "größe, size\nextent => größe";
    let analyzer = Analyzer::new(Language::German);
    let mut writer = WordsWriter::new(analyzer, &fields, &exact, synonyms).unwrap();
    for i in 0..ITEMS {
        writer.add(&[&format!("Größe {i}")], &[&format!("item-{i}")]);
    }
    writer.write(&[(0..ITEMS as u32).collect()], &[])
}

fn shard(rows: &[&[Option<Value>]], words: &CatalogWords) -> Vec<u8> {
    let mut vectors = CodedVectors::new(DIMS, Precision::FourFour);
    (0..ITEMS).for_each(|i| vectors.push(&vector(i)));
    let steps = [1, 2, 3, 24, 25, 37, 38, 39];
    let of = |i: usize| steps.map(|step| ((i + step) % ITEMS) as u32);
    let links: Vec<[u32; 8]> = (0..ITEMS).map(of).collect();
    let links = Links::new(links.iter().map(<[u32; 8]>::as_slice)).unwrap();
    let mut shard = ShardBuilder::new(&vectors, &links, None, 4).unwrap();
    let ids: Vec<String> = (0..ITEMS).map(|i| format!("item-{i}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    for (kind, index, bytes) in &words.shards[0] {
        shard.section(*kind, *index, bytes.clone());
    }
    Columns::write(&mut shard, &ids, &KINDS, rows).unwrap();
    shard.to_bytes()
}

/// The bytes of a shard that hold its words and fields, and the same packed.
fn front(shard: &[u8]) -> (&[u8], Vec<u8>) {
    let first = &shard[..Shard::open(shard).unwrap().front()];
    (first, miniz_oxide::deflate::compress_to_vec_zlib(first, 9))
}

/// The manifest of the golden shelf, its words and its shard.
fn write() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let values = values();
    let rows: Vec<&[Option<Value>]> = values.iter().map(Vec::as_slice).collect();
    let words = words();
    let shard = shard(&rows, &words);
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
        changes: vec![FileRef::of("changes", "nsc", &changes())],
        sources: vec![],
        words: Some(WordsRef {
            added: None,
            file: FileRef::of("words", "nsw", &words.file),
            fields: 1,
        }),
        shards: vec![ShardRef {
            added: false,
            front: Some(FrontRef {
                bytes: front(&shard).0.len() as u64,
                file: FileRef::of("front-0000", "nsf", &front(&shard).1),
            }),
            file: FileRef::of("shard-0000", "nss", &shard),
            items: ITEMS as u32,
            centroid,
            stats,
        }],
        search: SearchDefaults {
            probe: 1,
            ef: 5,
            measured: vec![],
            chance: Chance {
                any: 0.25,
                best: 0.5,
            },
        },
    };
    (manifest.to_bytes(), words.file, shard)
}

#[test]
fn a_shelf_of_version_1_opens_verifies_and_answers() {
    let manifest =
        Manifest::from_bytes("shelf.nsm", &fs::read(golden("shelf.nsm")).unwrap()).unwrap();
    let shard = fs::read(golden(&manifest.shards[0].file.name)).unwrap();
    let words = manifest.words.as_ref().unwrap().file.name.clone();
    let packed = fs::read(golden(
        &manifest.shards[0].front.as_ref().unwrap().file.name,
    ))
    .unwrap();
    let first = miniz_oxide::inflate::decompress_to_vec_zlib(&packed).unwrap();
    assert_eq!(first, front(&shard).0);
    let mut catalog = Catalog::new(manifest);
    catalog.attach(0, shard).unwrap();
    let words = fs::read(golden(&words)).unwrap();
    catalog.attach_words(words.into()).unwrap();
    catalog.verify().unwrap();

    let described = catalog.manifest().changes[0].clone();
    let changes = fs::read(golden(&described.name)).unwrap();
    catalog.apply(&described, &changes).unwrap();
    assert_eq!(catalog.len(), ITEMS - 1);
    assert!(catalog.get(&format!("item-{GONE}")).unwrap().is_none());

    for i in (0..ITEMS).filter(|&i| i != GONE) {
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
        assert_eq!(hit.field("price"), price(i).map(ValueRef::Number));
        assert_eq!(hit.field("even"), Some(ValueRef::Bool(i % 2 == 0)));
        assert_eq!(
            hit.field("tags"),
            Some(ValueRef::Tags(["tag 0", "tag 1"][..i % 3].to_vec()))
        );
        assert_eq!(hit.field("none"), None);
    }

    for (query, expected) in [
        ("grosse 17", "item-17"),
        ("size 23", "item-23"),
        ("extent 31", "item-31"),
        ("ITEM 39", "item-39"),
    ] {
        let target = catalog.words().unwrap().query(query, false).into();
        let found = catalog.search(&target, &SearchOptions::default()).unwrap();
        assert_eq!(found.hits[0].id, expected, "{query}");
        let parts = found.hits[0].parts;
        assert!(parts.meaning.is_none() && parts.words.is_some() && parts.coverage > 0.5);
    }
    let completed = catalog.words().unwrap().suggest("gro", 3);
    assert_eq!((&*completed[0].text, completed[0].weight), ("grosse", 40));
}

#[test]
fn the_same_content_is_written_as_the_same_bytes() {
    let (manifest, words, shard) = write();
    let described = Manifest::from_bytes("new", &manifest).unwrap();
    let name = described.shards[0].file.name.clone();
    let words_name = described.words.as_ref().unwrap().file.name.clone();
    let changed = golden(&described.changes[0].name);
    let front_name = &described.shards[0].front.as_ref().unwrap().file.name;
    if std::env::var_os("NEARSHELF_BLESS").is_none() {
        assert_eq!(fs::read(changed).unwrap(), changes());
        assert_eq!(fs::read(golden(front_name)).unwrap(), front(&shard).1);
    }
    // Only ever set to make the golden files of a new format version.
    if std::env::var_os("NEARSHELF_BLESS").is_some() {
        fs::create_dir_all(golden("")).unwrap();
        fs::write(golden("shelf.nsm"), &manifest).unwrap();
        fs::write(golden(&words_name), &words).unwrap();
        fs::write(golden(&name), &shard).unwrap();
        fs::write(golden(front_name), front(&shard).1).unwrap();
        fs::write(golden(&described.changes[0].name), changes()).unwrap();
    }
    assert_eq!(fs::read(golden("shelf.nsm")).unwrap(), manifest);
    assert_eq!(fs::read(golden(&words_name)).unwrap(), words);
    assert_eq!(fs::read(golden(&name)).unwrap(), shard);
}
