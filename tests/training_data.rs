//! Training data as people have it: each public format with a fixture in its exact schema.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use nearshelf_datasets::{
    Dataset, Error, Event, Judged, Judgement, Source, Split, SplitBy, read, write,
};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

fn gzip(path: &Path, text: &str) {
    let mut out = GzEncoder::new(File::create(path).unwrap(), Compression::default());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap();
}

/// A source as a recipe says it.
fn source(toml: &str) -> Source {
    toml::from_str(toml).unwrap()
}

fn rows(dataset: &Dataset) -> Vec<(&str, &str, f32)> {
    dataset
        .rows
        .iter()
        .map(|r| (&*r.query, &*r.item, r.judgement.grade()))
        .collect()
}

#[test]
fn amazon_reviews_are_joined_with_their_items() {
    let dir = tempfile::tempdir().unwrap();
    gzip(
        &dir.path().join("All_Beauty.jsonl.gz"),
        r#"{"rating": 5.0, "title": "Smells like summer", "text": "Light, and stays for hours.", "images": [], "asin": "B00YQ6X8EO", "parent_asin": "B00YQ6X8EO", "user_id": "AGKHLEW2SOWHNMFQIJGBECAF7INQ", "timestamp": 1588687728923, "helpful_vote": 0, "verified_purchase": true}
{"rating": 2.0, "title": "", "text": "Too sticky", "images": [], "asin": "B081TJ8YS3", "parent_asin": "B081TJ8YS3", "user_id": "AGKHLEW2SOWHNMFQIJGBECAF7INQ", "timestamp": 1588615855070, "helpful_vote": 1, "verified_purchase": true}
"#,
    );
    gzip(
        &dir.path().join("meta_All_Beauty.jsonl.gz"),
        r#"{"main_category": "All Beauty", "title": "Sea Salt Spray", "average_rating": 4.3, "rating_number": 384, "features": ["Vegan", "With sea kelp"], "description": [], "price": 12.5, "images": [{"thumb": "https://m.media-amazon.com/a.jpg", "large": "https://m.media-amazon.com/b.jpg", "variant": "MAIN", "hi_res": null}], "videos": {"title": [], "url": [], "user_id": []}, "store": "HERBIVORE", "categories": [], "details": {"Brand": "HERBIVORE"}, "parent_asin": "B00YQ6X8EO", "bought_together": null}
{"main_category": "All Beauty", "title": "Hair Gel", "average_rating": 3.1, "rating_number": 7, "features": [], "description": ["Strong hold."], "price": null, "images": [], "videos": {"title": [], "url": [], "user_id": []}, "store": null, "categories": [], "details": {}, "parent_asin": "B081TJ8YS3", "bought_together": null}
"#,
    );
    let found = read(
        &source("format = \"amazon-reviews\"\nreviews = \"All_Beauty.jsonl.gz\"\nmetadata = \"meta_All_Beauty.jsonl.gz\""),
        dir.path(),
    )
    .unwrap();
    assert_eq!(
        rows(&found),
        [
            (
                "Smells like summer Light, and stays for hours.",
                "Sea Salt Spray HERBIVORE Vegan With sea kelp",
                1.0
            ),
            ("Too sticky", "Hair Gel Strong hold.", 1.0),
        ]
    );
    assert_eq!(found.rows[0].vertical.as_deref(), Some("All Beauty"));
    assert_eq!(found.rows[0].item_id.as_deref(), Some("B00YQ6X8EO"));
}

/// Columns of a Parquet file: names and values, all texts or all numbers.
enum Column<'a> {
    Text(&'a str, &'a [&'a str]),
    Number(&'a str, &'a [i64]),
}

fn parquet(path: &Path, columns: &[Column<'_>]) {
    let fields: Vec<String> = columns
        .iter()
        .map(|column| match column {
            Column::Text(name, _) => format!("optional binary {name} (UTF8);"),
            Column::Number(name, _) => format!("optional int64 {name};"),
        })
        .collect();
    let schema = format!("message schema {{ {} }}", fields.join(" "));
    let schema = Arc::new(parse_message_type(&schema).unwrap());
    let file = File::create(path).unwrap();
    let mut file = SerializedFileWriter::new(file, schema, Arc::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    for column in columns {
        let mut writer = group.next_column().unwrap().unwrap();
        match column {
            // An empty text stands for null.
            Column::Text(_, values) => {
                let levels: Vec<i16> = values.iter().map(|v| i16::from(!v.is_empty())).collect();
                let values: Vec<ByteArray> = values
                    .iter()
                    .filter(|v| !v.is_empty())
                    .map(|&v| v.into())
                    .collect();
                let writer = writer.typed::<ByteArrayType>();
                writer.write_batch(&values, Some(&levels), None).unwrap();
            }
            Column::Number(_, values) => {
                let levels = vec![1i16; values.len()];
                let writer = writer.typed::<Int64Type>();
                writer.write_batch(values, Some(&levels), None).unwrap();
            }
        }
        writer.close().unwrap();
    }
    group.close().unwrap();
    file.close().unwrap();
}

fn esci(dir: &Path, labels: &[&str; 4]) {
    parquet(
        &dir.join("examples.parquet"),
        &[
            Column::Number("example_id", &[0, 1, 2, 3]),
            Column::Text(
                "query",
                &[
                    "!awnmower tires",
                    "!awnmower tires",
                    "zapatos",
                    "!awnmower tires",
                ],
            ),
            Column::Number("query_id", &[1, 1, 2, 1]),
            Column::Text("product_id", &["B1", "B2", "B3", "B2"]),
            Column::Text("product_locale", &["us", "us", "es", "us"]),
            Column::Text("esci_label", labels),
            Column::Number("small_version", &[1, 1, 0, 0]),
            Column::Number("large_version", &[1, 1, 1, 1]),
            Column::Text("split", &["train", "train", "train", "test"]),
        ],
    );
    parquet(
        &dir.join("products.parquet"),
        &[
            Column::Text("product_id", &["B1", "B2", "B3"]),
            Column::Text(
                "product_title",
                &["Lawn Mower Tire", "Inner Tube", "Zapatos"],
            ),
            Column::Text("product_description", &["<p>Two ply</p>", "", ""]),
            Column::Text("product_bullet_point", &["", "", ""]),
            Column::Text("product_brand", &["MaxAuto", "", "Zara"]),
            Column::Text("product_color", &["Black", "", "rojo"]),
            Column::Text("product_locale", &["us", "us", "es"]),
        ],
    );
}

#[test]
fn esci_labels_are_grades() {
    let dir = tempfile::tempdir().unwrap();
    esci(dir.path(), &["E", "S", "E", "I"]);
    let files = "format = \"amazon-esci\"\nexamples = \"examples.parquet\"\nproducts = \"products.parquet\"\n";
    let train = read(&source(&format!("{files}part = \"train\"")), dir.path()).unwrap();
    assert_eq!(
        rows(&train),
        [
            ("!awnmower tires", "Lawn Mower Tire MaxAuto Black", 3.0),
            ("!awnmower tires", "Inner Tube", 2.0),
        ]
    );
    let all = read(&source(files), dir.path()).unwrap();
    assert_eq!(all.rows.len(), 3);
    let spanish = read(&source(&format!("{files}locale = \"es\"")), dir.path()).unwrap();
    assert_eq!(rows(&spanish), [("zapatos", "Zapatos Zara rojo", 3.0)]);

    esci(dir.path(), &["E", "X", "E", "I"]);
    let error = read(&source(files), dir.path()).unwrap_err().to_string();
    assert!(
        error.contains("examples.parquet, line 2")
            && error.contains("[\"E\", \"S\", \"C\", \"I\"]")
            && error.contains("\"X\""),
        "{error}"
    );
    let rest = read(&source(&format!("{files}skip_bad = true")), dir.path()).unwrap();
    assert_eq!((rest.rows.len(), rest.skipped.rows), (2, 1));
    assert!(rest.skipped.first.unwrap().contains("line 2"));
}

#[test]
fn wands_has_tabs_in_its_csv() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write(
        "query.csv",
        "query_id\tquery\tquery_class\n0\tsalon chair\tMassage Chairs\n1\tsmart coffee table\tCoffee & Cocktail Tables\n",
    );
    write(
        "product.csv",
        "product_id\tproduct_name\tproduct_class\tcategory hierarchy\tproduct_description\tproduct_features\trating_count\taverage_rating\treview_count\n\
         25434\tbarber chair , hydraulic\tMassage Chairs\tFurniture / Chairs\tgeneral use , salon\tcolor:black|overallwidth:25\t8.0\t4.5\t7.0\n\
         12088\tround table\tCoffee & Cocktail Tables\tFurniture / Tables\t\ttoolsneeded:yes\t\t\t\n",
    );
    write(
        "label.csv",
        "id\tquery_id\tproduct_id\tlabel\n0\t0\t25434\tExact\n1\t0\t12088\tIrrelevant\n2\t1\t12088\tPartial\n",
    );
    let found = read(&source("format = \"wands\"\nfolder = \".\""), dir.path()).unwrap();
    assert_eq!(
        rows(&found),
        [
            (
                "salon chair",
                "barber chair , hydraulic Massage Chairs",
                2.0
            ),
            ("salon chair", "round table Coffee & Cocktail Tables", 0.0),
            (
                "smart coffee table",
                "round table Coffee & Cocktail Tables",
                1.0
            ),
        ]
    );
    assert_eq!(
        found.rows[2].vertical.as_deref(),
        Some("Coffee & Cocktail Tables")
    );
}

#[test]
fn beir_folders_are_read() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("qrels")).unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write(
        "corpus.jsonl",
        "{\"_id\": \"d1\", \"title\": \"Tent\", \"text\": \"For two.\", \"metadata\": {}}\n{\"_id\": \"d2\", \"title\": \"\", \"text\": \"A mug\", \"metadata\": {}}\n",
    );
    write(
        "queries.jsonl",
        "{\"_id\": \"q1\", \"text\": \"camping\", \"metadata\": {}}\n",
    );
    write(
        "qrels/train.tsv",
        "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n",
    );
    let found = read(&source("format = \"beir\"\nfolder = \".\""), dir.path()).unwrap();
    assert_eq!(
        rows(&found),
        [("camping", "Tent For two.", 2.0), ("camping", "A mug", 0.0)]
    );

    write("qrels/train.tsv", "query-id\tcorpus-id\tscore\nq1\td9\t2\n");
    let error = read(&source("format = \"beir\"\nfolder = \".\""), dir.path()).unwrap_err();
    assert!(
        matches!(&error, Error::Row { line: 2, found, .. } if found == "\"d9\""),
        "{error}"
    );
}

#[test]
fn click_logs_count_the_best_that_happened() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write("items.csv", "sku,name\na,Tent\nb,Mug\nc,Stove\n");
    write(
        "log.jsonl",
        "{\"query\": \"camping\", \"shown\": [\"a\", \"b\", \"c\"], \"clicked\": [\"c\", \"a\"], \"ordered\": [\"a\"], \"vertical\": \"outdoor\"}\n",
    );
    let toml = "format = \"click-log\"\nlog = \"log.jsonl\"\nitems = { path = \"items.csv\", id = \"sku\", text = [\"name\"] }";
    let found = read(&source(toml), dir.path()).unwrap();
    let events: Vec<(&str, Judgement)> =
        found.rows.iter().map(|r| (&*r.item, r.judgement)).collect();
    assert_eq!(
        events,
        [
            ("Tent", Judgement::Event(Event::Ordered)),
            ("Stove", Judgement::Event(Event::Clicked)),
            ("Mug", Judgement::Event(Event::Shown)),
        ]
    );
    write(
        "log.jsonl",
        "{\"query\": \"camping\", \"shown\": [\"z\"]}\n",
    );
    let error = read(&source(toml), dir.path()).unwrap_err().to_string();
    assert!(
        error.contains("line 1") && error.contains("\"z\""),
        "{error}"
    );
}

#[test]
fn the_canonical_format_comes_back_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.jsonl");
    let row = |judgement, weight, vertical: Option<&str>| Judged {
        query: "täglich \"rain\"".into(),
        item: "Schirm,\tblau".into(),
        item_id: None,
        judgement,
        weight,
        vertical: vertical.map(str::to_owned),
    };
    let written = vec![
        row(Judgement::Grade(2.5), 1.0, None),
        row(Judgement::Event(Event::Clicked), 3.0, Some("home")),
    ];
    write(&path, &written).unwrap();
    let found = read(
        &source("format = \"canonical\"\npath = \"rows.jsonl\""),
        dir.path(),
    )
    .unwrap();
    assert_eq!(found.rows, written);
}

#[test]
fn rows_that_say_nothing_or_too_much_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.jsonl");
    for (line, expected) in [
        (
            "{\"query\": \" \", \"item\": \"a\", \"grade\": 1}",
            "a text in \"query\"",
        ),
        ("{\"query\": \"q\", \"grade\": 1}", "a text in \"item\""),
        (
            "{\"query\": \"q\", \"item\": \"a\", \"event\": \"bought\"}",
            "\"ordered\", \"clicked\" or \"shown\"",
        ),
        (
            "{\"query\": \"q\", \"item\": \"a\", \"grade\": \"good\"}",
            "a number in \"grade\"",
        ),
        (
            "{\"query\": \"q\", \"item\": \"a\", \"grade\": 1, \"event\": \"clicked\"}",
            "\"grade\" or \"event\"",
        ),
        (
            "{\"query\": \"q\", \"item\": \"a\", \"weight\": 0}",
            "a number above 0 in \"weight\"",
        ),
        ("[1]", "a row"),
    ] {
        fs::write(
            &path,
            format!("{{\"query\": \"q\", \"item\": \"a\"}}\n{line}\n"),
        )
        .unwrap();
        let canonical = source("format = \"canonical\"\npath = \"rows.jsonl\"");
        let error = read(&canonical, dir.path()).unwrap_err();
        assert!(
            matches!(&error, Error::Row { line: 2, expected: found, .. } if found.contains(expected)),
            "{line}: {error}"
        );
        let skipping = Source {
            skip_bad: true,
            ..canonical
        };
        let rest = read(&skipping, dir.path()).unwrap();
        assert_eq!((rest.rows.len(), rest.skipped.rows), (1, 1));
        fs::write(&path, format!("{line}\n")).unwrap();
        assert!(matches!(
            read(&skipping, dir.path()),
            Err(Error::Empty { .. })
        ));
    }
}

#[test]
fn a_split_keeps_a_query_or_an_item_on_one_side_and_stays_when_rows_come_and_go() {
    let rows: Vec<Judged> = (0..3000)
        .map(|i| Judged {
            query: format!("Query {}", i % 400),
            item: format!("item {}", i % 700),
            item_id: None,
            judgement: Judgement::Grade(1.0),
            weight: 1.0,
            vertical: None,
        })
        .collect();
    for by in [SplitBy::Query, SplitBy::Item] {
        let split = Split {
            by,
            dev: 0.2,
            seed: 7,
        };
        let key = |r: &Judged| match by {
            SplitBy::Query => r.query.clone(),
            SplitBy::Item => r.item.clone(),
        };
        let (train, dev) = split.cut(rows.clone());
        let held: std::collections::HashSet<String> = dev.iter().map(key).collect();
        assert!(train.iter().all(|r| !held.contains(&key(r))));
        let share = dev.len() as f64 / rows.len() as f64;
        assert!((0.12..0.28).contains(&share), "{share}");
        let (_, fewer) = split.cut(rows[..1000].to_vec());
        assert!(fewer.iter().all(|r| held.contains(&key(r))));
        let mut shouted = dev[0].clone();
        shouted.query = shouted.query.to_uppercase() + " ";
        shouted.item = format!(" {}", shouted.item.to_uppercase());
        assert_eq!(split.side(&shouted), split.side(&dev[0]));
    }
}
