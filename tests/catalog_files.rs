//! Catalogs as people have them: three formats, gzip, and rows that are wrong.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use nearshelf_build::{Error, FieldSpec, ItemOptions, ProblemKind, read_items};
use nearshelf_catalog::{FieldKind, Value};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

const JSON_LINES: &str = "{\"id\":\"a\",\"title\":\"Tent\",\"price\":99.5,\"new\":true}\n\
                          {\"id\":\"b\",\"title\":\"Mug, blue\",\"price\":7,\"new\":false}\n";
const CSV: &str = "id,title,price,new\na,Tent,99.5,true\nb,\"Mug, blue\",7,false\n";

fn gzip(path: &Path, text: &str) {
    let mut out = GzEncoder::new(File::create(path).unwrap(), Compression::default());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap();
}

fn parquet(path: &Path) {
    let schema = "message items { required binary id (UTF8); required binary title (UTF8); \
                  required double price; required boolean new; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let file = File::create(path).unwrap();
    let mut file = SerializedFileWriter::new(file, schema, Arc::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    let texts: [[&str; 2]; 2] = [["a", "b"], ["Tent", "Mug, blue"]];
    for column in texts {
        let mut writer = group.next_column().unwrap().unwrap();
        let values = column.map(ByteArray::from);
        writer
            .typed::<ByteArrayType>()
            .write_batch(&values, None, None)
            .unwrap();
        writer.close().unwrap();
    }
    let mut writer = group.next_column().unwrap().unwrap();
    writer
        .typed::<DoubleType>()
        .write_batch(&[99.5, 7.0], None, None)
        .unwrap();
    writer.close().unwrap();
    let mut writer = group.next_column().unwrap().unwrap();
    writer
        .typed::<BoolType>()
        .write_batch(&[true, false], None, None)
        .unwrap();
    writer.close().unwrap();
    group.close().unwrap();
    file.close().unwrap();
}

#[test]
fn all_formats_give_the_same_items() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("i.jsonl"), JSON_LINES).unwrap();
    fs::write(path("i.csv"), CSV).unwrap();
    fs::write(
        path("i.tsv"),
        CSV.replace("\"Mug, blue\"", "Mug; blue")
            .replace(',', "\t")
            .replace(';', ","),
    )
    .unwrap();
    gzip(&path("i.jsonl.gz"), JSON_LINES);
    gzip(&path("i.csv.gz"), CSV);
    parquet(&path("i.parquet"));
    gzip(&path("unnamed.jsonl"), JSON_LINES);

    let expected = read_items(&path("i.jsonl"), &ItemOptions::default()).unwrap();
    assert_eq!(expected.ids, ["a", "b"]);
    assert_eq!(expected.texts, ["Tent", "Mug, blue"]);
    let kinds: Vec<FieldKind> = expected.fields.iter().map(|f| f.kind).collect();
    assert_eq!(kinds, [FieldKind::Text, FieldKind::Number, FieldKind::Bool]);
    let second = [
        Value::Text("Mug, blue".into()),
        Value::Number(7.0),
        Value::Bool(false),
    ];
    assert_eq!(expected.values[1], second.map(Some));
    for name in [
        "i.csv",
        "i.tsv",
        "i.jsonl.gz",
        "i.csv.gz",
        "i.parquet",
        "unnamed.jsonl",
    ] {
        let items = read_items(&path(name), &ItemOptions::default()).unwrap();
        assert_eq!(items, expected, "{name}");
    }
}

#[test]
fn what_is_wrong_is_counted_and_named_by_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("items.jsonl");
    let mut text =
        b"{\"id\":1,\"title\":\"one\",\"price\":1}\n\nnot json\n{\"title\":\"no id\"}\n".to_vec();
    text.extend_from_slice(
        b"{\"id\":\"1\",\"title\":\"again\"}\n[1]\n{\"id\":2,\"title\":\" \"}\n",
    );
    text.extend_from_slice(b"{\"id\":3,\"title\":\"bad \xff bytes\"}\n{\"id\":4,\"title\":\"four\",\"price\":\"dear\"}\n");
    fs::write(&path, text).unwrap();
    let price = FieldSpec {
        name: "price".into(),
        kind: Some(FieldKind::Number),
    };
    let title = FieldSpec {
        name: "title".into(),
        kind: None,
    };
    let mut options = ItemOptions {
        fields: vec![title, price],
        ..Default::default()
    };
    let items = read_items(&path, &options).unwrap();
    assert_eq!(items.ids, ["1", "4"]);
    assert_eq!(items.values[1], [Some(Value::Text("four".into())), None]);
    let report = &items.report;
    assert_eq!(
        (report.rows, report.bad_rows, report.duplicate_ids),
        (8, 3, 1)
    );
    assert_eq!((report.missing_fields, report.bad_values), (2, 1));
    let lines: Vec<u64> = report.first.iter().map(|p| p.line).collect();
    assert_eq!(lines, [3, 4, 5, 6, 7, 8, 9]);
    assert!(matches!(&report.first[2].kind, ProblemKind::DuplicateId { id } if id == "1"));
    let message = report.first[1].to_string();
    assert!(
        message.contains("items.jsonl, line 4: row left out: expected a field \"id\""),
        "{message}"
    );

    options.strict = true;
    let message = read_items(&path, &options).unwrap_err().to_string();
    assert!(
        message.contains("found 7: ") && message.contains("line 3"),
        "{message}"
    );
}

#[test]
fn files_that_are_no_catalog_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let error = |name: &str| read_items(&path(name), &ItemOptions::default()).unwrap_err();
    assert!(matches!(
        error("absent.jsonl"),
        Error::Table(nearshelf_tables::Error::Io { .. })
    ));
    assert!(matches!(
        error("items.xlsx"),
        Error::Table(nearshelf_tables::Error::Format { .. })
    ));
    for name in ["empty.jsonl", "empty.csv"] {
        fs::write(path(name), "").unwrap();
        assert!(matches!(error(name), Error::Empty { .. }), "{name}");
    }
    fs::write(path("not.parquet"), "PAR1 and then nothing").unwrap();
    assert!(
        error("not.parquet")
            .to_string()
            .contains("expected the Parquet format")
    );
    fs::write(path("cut.jsonl.gz"), [0x1f, 0x8b, 8, 0, 0]).unwrap();
    assert!(error("cut.jsonl.gz").to_string().contains("cut.jsonl.gz: "));

    fs::write(path("fields.jsonl"), "{\"id\":1,\"title\":\"one\"}\n").unwrap();
    let brand = ItemOptions {
        text: vec!["title".into(), "brand".into()],
        ..Default::default()
    };
    let message = read_items(&path("fields.jsonl"), &brand)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("expected a field \"brand\", found id, title"),
        "{message}"
    );
}

#[test]
fn rows_of_another_width_are_reported() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("items.csv");
    fs::write(&path, "id,title\n1,one\n2\n3,three,more\n4,four\n").unwrap();
    let items = read_items(&path, &ItemOptions::default()).unwrap();
    assert_eq!(items.ids, ["1", "4"]);
    assert_eq!(items.report.bad_rows, 2);
    assert_eq!(items.report.first[0].line, 3);
}
