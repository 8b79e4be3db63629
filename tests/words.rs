//! Words and meaning on shelves: BM25 against a public library, one ranking, filters, routing, what is told of a hit.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use nearshelf::{Bytes, Error, ErrorKind, Filter, Language, Mode, SearchOptions, Shelf, ValueRef};
use nearshelf_build::{
    BuildOptions, ItemOptions, Model, NoProgress, TextField, WordOptions, build,
};
use nearshelf_lexical::{Analyzer, B, K1, TokenKind};
use serde_json::{Value, json};
use support::{demo, demo_items, demo_network, python, root, run_python};

fn model() -> Model {
    Model::from_network("demo", Bytes::map(&demo_network()).unwrap()).unwrap()
}

fn built(folder: &Path, rows: &[Value], options: &BuildOptions) -> PathBuf {
    let items = folder.join("items.jsonl");
    let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
    fs::write(&items, lines).unwrap();
    let out = folder.join("shelf");
    build(&items, &model(), &out, options, &NoProgress).unwrap();
    out
}

fn options(mode: Mode, k: usize) -> SearchOptions {
    SearchOptions {
        k,
        mode,
        ..SearchOptions::default()
    }
}

fn ids<'a>(shelf: &'a Shelf, query: &str, options: &SearchOptions) -> Vec<&'a str> {
    let answer = shelf.search_with(query, options).unwrap();
    answer.hits.iter().map(|hit| hit.id).collect()
}

#[test]
fn words_of_one_field_score_as_a_public_library_scores_them() {
    let Some(python) = python("BM25 against bm25s") else {
        return;
    };
    // Words alone: a compound is one word more for us, as it is for nobody else.
    let analyzer = Analyzer::new(Language::English);
    let plain = |text: &str| -> Option<Vec<String>> {
        let mut terms = Vec::new();
        let mut joined = false;
        analyzer.tokens(text, |token| {
            joined |= token.kind == TokenKind::Joined;
            terms.push(analyzer.term(&token));
        });
        (!joined).then_some(terms)
    };
    let mut rows = Vec::new();
    let mut documents = Vec::new();
    for row in demo_items().into_iter().take(1500) {
        let text = format!("{} {}", row["title"], row["description"]);
        if let Some(terms) = plain(&text) {
            rows.push(json!({ "id": format!("d{}", rows.len()), "text": text }));
            documents.push(terms);
        }
    }
    assert!(documents.len() > 500, "{}", documents.len());
    let queries = [
        "warm jacket",
        "oak chair",
        "the kettle",
        "running shoes men",
        "lamp",
    ];
    let folder = tempfile::tempdir().unwrap();
    let build_options = BuildOptions {
        items: ItemOptions {
            text: vec!["text".into()],
            ..ItemOptions::default()
        },
        shard_size: 300,
        ..BuildOptions::default()
    };
    let shelf = Shelf::open(built(folder.path(), &rows, &build_options)).unwrap();
    let tokens = folder.path().join("tokens.json");
    let asked: Vec<Vec<String>> = queries.iter().map(|q| plain(q).unwrap()).collect();
    let asked = json!({ "documents": documents, "queries": asked, "k1": K1, "b": B });
    fs::write(&tokens, asked.to_string()).unwrap();
    let script = root().join("tests/reference/bm25.py");
    let expected = run_python(&python, &script, &[&tokens]);
    let expected: Vec<Vec<f64>> = serde_json::from_str(&expected).unwrap();
    let mut compared = 0;
    for (query, expected) in queries.iter().zip(expected) {
        let answer = shelf
            .search_with(*query, &options(Mode::Words, usize::MAX))
            .unwrap();
        assert_eq!(
            answer.hits.len(),
            expected.iter().filter(|score| **score > 0.0).count()
        );
        for hit in &answer.hits {
            let place: usize = hit.id[1..].parse().unwrap();
            let difference = (f64::from(hit.score) - expected[place]).abs();
            assert!(
                difference < 1e-5,
                "{query}: {} and {}",
                hit.score,
                expected[place]
            );
            compared += 1;
        }
    }
    println!("{compared} scores agree");
    assert!(compared > 200);
}

#[test]
fn the_best_few_have_the_scores_that_they_have_among_all() {
    let shelf = Shelf::open(demo()).unwrap();
    for query in [
        "red wine glasses for a gift",
        "waterproof jacket",
        "steel bottle 750 ml",
    ] {
        for mode in [Mode::Words, Mode::Hybrid] {
            let few = shelf.search_with(query, &options(mode, 10)).unwrap();
            let all = shelf.search_with(query, &options(mode, 6000)).unwrap();
            for (a, b) in few.hits.iter().zip(&all.hits) {
                assert_eq!(
                    (a.parts.words, a.parts.coverage),
                    (b.parts.words, b.parts.coverage)
                );
                if mode == Mode::Words {
                    assert_eq!((a.id, a.score), (b.id, b.score), "{query}");
                }
            }
        }
    }
}

/// Rows of a small shop, with what words are for: codes, sizes, brands, accents, other scripts.
fn shop() -> Vec<Value> {
    let titles = [
        (
            "a1",
            "WD-40 Multi-Use Lubricant 400ml",
            "wd",
            "5032227440050",
        ),
        ("a2", "Crème brûlée torch", "Flamme", "4006825614510"),
        ("a3", "USB-C flash drive 16GB", "Kingdrive", "740617274622"),
        ("a4", "USB-C flash drive 32 GB", "Kingdrive", "740617274639"),
        (
            "a5",
            "Women's waterproof hiking boots",
            "Calder",
            "0889421033113",
        ),
        ("a6", "Door bell with camera", "Ringo", "0841667187143"),
        ("a7", "登山靴 防水", "Calder", "4901872448100"),
        ("a8", "Bushing K83913 for pumps", "Pumpco", "0012345678905"),
        ("a9", "Couch, three seats", "Home", "0012345678912"),
        ("b1", "Bearing for pumps", "Pumpco", "0012345678929"),
        ("b2", "Hiking socks, wool", "Calder", "0012345678936"),
        ("b3", "Garden hose 15 m", "Home", "0012345678943"),
    ];
    let row = |&(id, title, brand, gtin): &(&str, &str, &str, &str)| {
        let sku = format!("SKU-{}/{}", &gtin[..4], id);
        json!({ "id": id, "title": title, "brand": brand, "gtin": gtin, "sku": sku, "price": gtin.len() })
    };
    titles.iter().map(row).collect()
}

fn shop_options(folder: &Path) -> BuildOptions {
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        Some(path)
    };
    let weighted = TextField {
        name: "title".into(),
        weight: 3.0,
    };
    BuildOptions {
        items: ItemOptions {
            text: vec![weighted, "brand".into()],
            exact: vec!["sku".into(), "gtin".into()],
            ..ItemOptions::default()
        },
        words: WordOptions {
            synonyms: file(
                "synonyms.txt",
                "couch, sofa, settee\ntube => garden hose\na, b\nb, a\n",
            ),
            suggestions: file(
                "queries.txt",
                "hiking boots\t90\nhiking socks\t40\nhike map\nhose\t7\n",
            ),
            ..WordOptions::default()
        },
        ..BuildOptions::default()
    }
}

#[test]
fn codes_sizes_accents_typos_and_synonyms_find_their_item() {
    let folder = tempfile::tempdir().unwrap();
    let path = built(folder.path(), &shop(), &shop_options(folder.path()));
    let shelf = Shelf::open(path).unwrap();
    for (query, expected) in [
        ("wd40", "a1"),
        ("WD 40", "a1"),
        ("wd-40", "a1"),
        ("400 ML lubricant", "a1"),
        ("creme brulee", "a2"),
        ("CRÈME BRÛLÉE", "a2"),
        ("16 gb", "a3"),
        ("16gb drive", "a3"),
        ("32GB", "a4"),
        ("womens boot", "a5"),
        ("hikign boots", "a5"),
        ("waterprof boots", "a5"),
        ("doorbell", "a6"),
        ("防水", "a7"),
        ("K83913 bushing", "a8"),
        ("k83913", "a8"),
        ("K 83913 pumps", "a8"),
        ("sofa", "a9"),
        ("settee", "a9"),
        ("tube", "b3"),
        ("5032227440050", "a1"),
        ("SKU-7406/a4", "a4"),
        ("sku 7406 a4", "a4"),
        ("sku7406a4", "a4"),
        ("calder socks", "b2"),
    ] {
        for mode in [Mode::Hybrid, Mode::Words] {
            let found = ids(&shelf, query, &options(mode, 3));
            assert_eq!(found.first(), Some(&expected), "{query} {mode}: {found:?}");
        }
    }
    let answer = shelf.search("hikign boots", 3).unwrap();
    assert_eq!(answer.corrected()[0].from, "hikign");
    assert_eq!(answer.corrected()[0].to, ["hiking"]);
    // Words with digits are never taken for others.
    let answer = shelf.search("k83914", 3).unwrap();
    assert!(answer.corrected().is_empty());
    assert_eq!(answer.unknown_words(), ["k83914"]);
}

#[test]
fn typing_completes_the_last_word_and_suggestions_the_query() {
    let folder = tempfile::tempdir().unwrap();
    let path = built(folder.path(), &shop(), &shop_options(folder.path()));
    let shelf = Shelf::open(path).unwrap();
    let typing = SearchOptions {
        typing: true,
        ..options(Mode::Words, 5)
    };
    let mut found = ids(&shelf, "calder hik", &typing);
    found.truncate(2);
    found.sort_unstable();
    assert_eq!(found, ["a5", "b2"]);
    let texts = |text: &str| -> Vec<String> {
        shelf.suggest(text, 2).into_iter().map(|s| s.text).collect()
    };
    assert_eq!(texts("hik"), ["hiking boots", "hiking socks"]);
    assert_eq!(texts("Hiking S"), ["hiking socks"]);
    assert_eq!(texts("hike "), ["hike map"]);
    assert_eq!(texts("x"), [""; 0]);
    assert_eq!(texts(""), [""; 0]);

    let demo = Shelf::open(demo()).unwrap();
    let own = demo.suggest("rai", 5);
    assert!(
        !own.is_empty()
            && own
                .iter()
                .all(|s| s.text.starts_with("rai") && s.weight > 1)
    );
    assert!(own.is_sorted_by(|a, b| a.weight >= b.weight));
}

#[test]
fn a_hit_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = built(folder.path(), &shop(), &shop_options(folder.path()));
    let shelf = Shelf::open(path).unwrap();
    let answer = shelf.search("creme torch by flamme", 1).unwrap();
    let hit = &answer.hits[0];
    let why = answer.why(hit);
    let said: HashMap<&str, Vec<&str>> = (why.fields.iter())
        .map(|(name, places)| {
            let Some(ValueRef::Text(text)) = hit.field(name) else {
                panic!("{name}")
            };
            (
                *name,
                places.iter().map(|place| &text[place.clone()]).collect(),
            )
        })
        .collect();
    assert_eq!(said["title"], ["Crème", "torch"]);
    assert_eq!(said["brand"], ["Flamme"]);
    assert!(hit.parts.meaning.is_some() && hit.parts.words > Some(0.0));
    assert!(hit.parts.coverage > 0.5 && !hit.is_weak());
}

#[test]
fn what_the_shop_does_not_have_is_weak_and_can_be_left_out() {
    let shelf = Shelf::open(demo()).unwrap();
    let weak = [
        "laser toner cartridge hl-2270",
        "violin bow rosin",
        "tractor hydraulic pump",
    ];
    for query in weak {
        let answer = shelf.search(query, 5).unwrap();
        assert!(answer.is_weak(), "{query}: {:?}", answer.hits[0].parts);
        let strict = SearchOptions {
            leave_weak: true,
            ..options(Mode::Hybrid, 5)
        };
        assert_eq!(ids(&shelf, query, &strict), [""; 0], "{query}");
    }
    for query in [
        "rain jacket",
        "something warm for a rainy hike",
        "desk lamp",
    ] {
        assert!(!shelf.search(query, 5).unwrap().is_weak(), "{query}");
    }
}

#[test]
fn words_obey_the_filter_and_need_no_encoder() {
    let whole = Shelf::open(demo()).unwrap();
    let dear = SearchOptions {
        filter: Some(Filter::above("price", 100.0)),
        ..options(Mode::Words, 10)
    };
    let answer = whole.search_with("jacket", &dear).unwrap();
    assert_eq!(answer.hits.len(), 10);
    let price = |value| matches!(value, Some(ValueRef::Number(price)) if price > 100.0);
    assert!(answer.hits.iter().all(|hit| price(hit.field("price"))));

    // Everything but the encoder.
    let manifest = fs::read(demo().join(nearshelf::MANIFEST_NAME)).unwrap();
    let mut shelf = Shelf::from_manifest(&manifest).unwrap();
    let files: Vec<String> = shelf
        .manifest()
        .files()
        .map(|file| file.name.clone())
        .collect();
    for name in files.iter().filter(|name| !name.ends_with(".nsn")) {
        let bytes = fs::read(demo().join(name)).unwrap();
        shelf.attach(name, bytes.into(), false).unwrap();
    }
    let words = options(Mode::Words, 10);
    assert_eq!(
        ids(&shelf, "rain jacket", &words),
        ids(&whole, "rain jacket", &words)
    );
    let error = shelf.search("rain jacket", 3).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Missing);

    let mut bare = Shelf::from_manifest(&manifest).unwrap();
    let shard = files.iter().find(|name| name.ends_with(".nss")).unwrap();
    bare.attach(shard, fs::read(demo().join(shard)).unwrap().into(), false)
        .unwrap();
    let error = bare.search_with("rain", &words).unwrap_err();
    assert!(
        matches!(&error, Error::Missing { file } if file.ends_with(".nsw")),
        "{error}"
    );
}

#[test]
fn a_page_with_some_of_the_shards_is_sent_to_those_with_the_rare_words() {
    let folder = tempfile::tempdir().unwrap();
    let options = BuildOptions {
        shard_size: 400,
        ..BuildOptions::default()
    };
    let path = built(folder.path(), &demo_items(), &options);
    let whole = Shelf::open(&path).unwrap();
    let shards = whole.manifest().shards.len();
    assert!(shards > 10);
    let manifest = fs::read(path.join(nearshelf::MANIFEST_NAME)).unwrap();
    let (mut right, mut wanted, mut fetched, mut queries) = (0, 0, 0, 0);
    for query in [
        "kettle",
        "wool socks",
        "hiking boots",
        "brass lamp",
        "oak bookshelf",
        "yoga mat",
    ] {
        let mut shelf = Shelf::from_manifest(&manifest).unwrap();
        let read = |name: &str| -> Bytes { fs::read(path.join(name)).unwrap().into() };
        let files: Vec<String> = shelf
            .manifest()
            .files()
            .map(|file| file.name.clone())
            .collect();
        for name in files.iter().filter(|name| !name.ends_with(".nss")) {
            shelf.attach(name, read(name), false).unwrap();
        }
        let options = SearchOptions {
            probe: Some(2),
            ..SearchOptions::default()
        };
        for number in shelf.missing(query, &options).unwrap() {
            let name = shelf.manifest().shards[number].file.name.clone();
            shelf.attach(&name, read(&name), false).unwrap();
            fetched += 1;
        }
        queries += 1;
        let full = ids(&whole, query, &SearchOptions::default());
        let found = ids(&shelf, query, &options);
        right += full.iter().filter(|id| found.contains(id)).count();
        wanted += full.len();
    }
    let recall = right as f64 / wanted as f64;
    println!(
        "{fetched} of {} shards fetched: recall {recall:.3}",
        queries * shards
    );
    assert!(
        fetched <= 4 * queries && recall >= 0.8,
        "{fetched} {recall}"
    );
}

#[test]
fn odd_queries_are_answered_or_say_nothing() {
    let shelf = Shelf::open(demo()).unwrap();
    for query in [
        "?",
        "🎒🎒",
        "\u{202e}\u{200f}",
        "a",
        "-",
        "'",
        "\u{0}",
        &"tent ".repeat(1000),
    ] {
        for mode in [Mode::Words, Mode::Hybrid] {
            let typing = SearchOptions {
                typing: true,
                ..options(mode, 5)
            };
            assert!(shelf.search_with(query, &typing).unwrap().hits.len() <= 5);
        }
        assert!(shelf.suggest(query, 5).len() <= 5);
    }
    let long = "tent ".repeat(200_000);
    let found = ids(&shelf, &long, &options(Mode::Words, 3));
    assert_eq!(found, ids(&shelf, "tent", &options(Mode::Words, 3)));
    let letter = "x".repeat(1_000_000);
    assert_eq!(ids(&shelf, &letter, &options(Mode::Words, 3)), [""; 0]);
}

#[test]
fn wrong_files_of_words_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("items.jsonl"), "{\"id\":\"1\",\"title\":\"tent\"}\n").unwrap();
    let mut options = shop_options(folder.path());
    options.items = ItemOptions::default();
    let failure = |options: &BuildOptions| {
        let built = build(
            &path("items.jsonl"),
            &model(),
            &path("out"),
            options,
            &NoProgress,
        );
        built.unwrap_err().to_string()
    };
    fs::write(path("synonyms.txt"), "couch, sofa\nlonely\n").unwrap();
    let message = failure(&options);
    assert!(
        message.contains("synonyms.txt, line 2: expected"),
        "{message}"
    );
    fs::write(path("synonyms.txt"), "").unwrap();
    fs::write(path("queries.txt"), "tent\tmany\n").unwrap();
    let message = failure(&options);
    assert!(
        message.contains("queries.txt, line 1: expected"),
        "{message}"
    );
    fs::write(path("queries.txt"), "tent\t3\n").unwrap();
    options.items.exact = vec!["sku".into()];
    let message = failure(&options);
    assert!(message.contains("a field \"sku\""), "{message}");
}
