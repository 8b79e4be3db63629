//! Filters on a shelf of several shards, against every item compared by itself.

use std::fs;

use nearshelf::{ErrorKind, Filter, SearchOptions, Shelf, ValueRef};
use nearshelf_build::{BuildOptions, Model, NoProgress, build};
use support::{demo_items, demo_model};

fn sharded(folder: &std::path::Path) -> Shelf {
    let rows: String = demo_items().iter().map(|row| format!("{row}\n")).collect();
    let items = folder.join("items.jsonl");
    fs::write(&items, rows).unwrap();
    let model = demo_model();
    let options = BuildOptions {
        shard_size: 1000,
        ..BuildOptions::default()
    };
    let out = folder.join("shelf");
    build(
        &items,
        &Model::open(model.path()).unwrap(),
        &out,
        &options,
        &NoProgress,
    )
    .unwrap();
    Shelf::open(out).unwrap()
}

type Passes = fn(&dyn Fn(&str) -> Option<String>) -> bool;

/// Filters, and what they mean, said by itself. A field's value is given as text.
const FILTERS: [(&str, Passes); 7] = [
    ("price < 50", |of| {
        number(of("price")).is_some_and(|price| price < 50.0)
    }),
    ("NOT price < 50", |of| {
        !number(of("price")).is_some_and(|price| price < 50.0)
    }),
    ("category = 'outdoor'", |of| {
        of("category").as_deref() == Some("outdoor")
    }),
    (
        "category IN ['outdoor', 'kitchen'] AND price >= 100",
        |of| {
            matches!(of("category").as_deref(), Some("outdoor" | "kitchen"))
                && number(of("price")).is_some_and(|price| price >= 100.0)
        },
    ),
    ("price > 300 OR price < 10", |of| {
        number(of("price")).is_some_and(|price| !(10.0..=300.0).contains(&price))
    }),
    ("EXISTS title AND NOT category = 'fashion'", |of| {
        of("category").as_deref() != Some("fashion")
    }),
    ("price > 1e9", |_| false),
];

fn number(text: Option<String>) -> Option<f64> {
    text?.parse().ok()
}

#[test]
fn hits_are_the_nearest_of_the_items_that_a_filter_allows() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = sharded(folder.path());
    assert!(shelf.manifest().shards.len() > 3);
    let queries = [
        "warm jacket for hiking",
        "a gift for a gardener",
        "kettle",
        "desk lamp",
        "running shoes",
    ];
    for (text, passes) in FILTERS {
        let allowed: Vec<&str> = shelf
            .items()
            .filter(|&(_, shard, item)| {
                passes(&|name| match shelf.value(shard, item, name)? {
                    ValueRef::Text(text) => Some(text.to_owned()),
                    ValueRef::Number(number) => Some(number.to_string()),
                    ValueRef::Bool(value) => Some(value.to_string()),
                    ValueRef::Tags(tags) => Some(tags.join(",")),
                })
            })
            .map(|(id, ..)| id)
            .collect();
        let options = SearchOptions {
            filter: Some(text.parse().unwrap()),
            ..Default::default()
        };
        let (mut right, mut wanted) = (0, 0);
        for query in queries {
            let found = shelf.search_with(query, &options).unwrap();
            let exact = shelf.search_exact(query, &options).unwrap();
            assert_eq!(found.hits.len(), allowed.len().min(10), "{text}: {query}");
            let exact: Vec<&str> = exact.iter().map(|hit| hit.id).collect();
            assert!(
                exact.iter().all(|id| allowed.contains(id)),
                "{text}: {query}"
            );
            let ids: Vec<&str> = found.hits.iter().map(|hit| hit.id).collect();
            assert!(ids.iter().all(|id| allowed.contains(id)), "{text}: {query}");
            right += ids.iter().filter(|id| exact.contains(id)).count();
            wanted += exact.len();
            // Once more, from the sets that are kept.
            let again = shelf.search_with(query, &options).unwrap();
            assert_eq!(ids, again.hits.iter().map(|hit| hit.id).collect::<Vec<_>>());
        }
        assert!(
            right as f64 >= 0.98 * wanted as f64,
            "{text}: {right} of {wanted}"
        );
    }
}

#[test]
fn shards_without_such_items_are_not_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let whole = sharded(folder.path());
    let manifest = fs::read(folder.path().join("shelf/shelf.nsm")).unwrap();
    let empty = Shelf::from_manifest(&manifest).unwrap();
    let vector = whole
        .encoder()
        .unwrap()
        .encode("rain jacket")
        .unwrap()
        .vector;
    let options = |filter: Filter| SearchOptions {
        k: 1000,
        probe: Some(100),
        filter: Some(filter),
        ..Default::default()
    };
    let dear = options(Filter::above("price", 1e9));
    assert!(empty.missing(&vector, &dear).unwrap().is_empty());
    let stats = whole.search_vector(&vector, &dear).unwrap().stats;
    assert_eq!((stats.probed, stats.missing, stats.distances), (0, 0, 0));
    let any = options(Filter::exists("title"));
    assert_eq!(
        empty.missing(&vector, &any).unwrap().len(),
        whole.manifest().shards.len()
    );
    assert!(whole.missing(&vector, &any).unwrap().is_empty());
}

#[test]
fn what_the_shelf_does_not_have_is_named() {
    let shelf = Shelf::open(support::demo()).unwrap();
    for (text, message) in [
        (
            "prise < 5",
            "filter, field: expected a field of the shelf, perhaps price, found prise",
        ),
        (
            "title < 5",
            "filter, field title: expected a number field for <, <=, > and >=, found text",
        ),
        (
            "price = 'cheap'",
            "filter, field price: expected a value of type number, found \"cheap\"",
        ),
    ] {
        let options = SearchOptions {
            filter: Some(text.parse().unwrap()),
            ..Default::default()
        };
        let error = shelf.search_with("tent", &options).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (ErrorKind::Usage, message)
        );
    }
    let many = Filter::one_of("price", (0..10_000).map(f64::from));
    let options = SearchOptions {
        filter: Some(many),
        ..Default::default()
    };
    let error = shelf.search_with("tent", &options).unwrap_err().to_string();
    assert!(
        error.contains("at most 4096 conditions and values"),
        "{error}"
    );
}
