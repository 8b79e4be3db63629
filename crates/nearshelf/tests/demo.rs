//! The facade over the demo shelf: opening, the kinds of query, filters, what is lacking.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::PathBuf;

use nearshelf::{ErrorKind, Filter, Mode, Query, Recommend, SearchOptions, Shelf, ValueRef};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../assets/demo")
}

#[test]
fn a_text_its_vector_and_its_own_hits_find_what_is_near() {
    let shelf = Shelf::open(folder()).unwrap();
    shelf.verify().unwrap();
    let answer = shelf.search("rain jacket", 5).unwrap();
    let ids: Vec<&str> = answer.hits.iter().map(|hit| hit.id).collect();
    assert_eq!(
        (ids.len(), answer.unknown, answer.truncated()),
        (5, 0, false)
    );
    let title = answer.hits[0].field("title");
    assert!(
        matches!(title, Some(ValueRef::Text(title)) if title.contains("Jacket")),
        "{title:?}"
    );

    let vector = shelf
        .encoder()
        .unwrap()
        .encode("rain jacket")
        .unwrap()
        .vector;
    let options = SearchOptions {
        k: 5,
        ..Default::default()
    };
    let found = shelf.search_vector(&vector, &options).unwrap();
    let meaning = SearchOptions {
        mode: Mode::Meaning,
        ..options.clone()
    };
    let answer = shelf.search_with("rain jacket", &meaning).unwrap();
    let by_meaning: Vec<&str> = answer.hits.iter().map(|hit| hit.id).collect();
    let by_vector: Vec<&str> = found.hits.iter().map(|hit| hit.id).collect();
    assert_eq!(by_vector, by_meaning);

    let liked = Recommend {
        like: &ids,
        ..Default::default()
    };
    let more = shelf.recommend(&liked, &options).unwrap();
    assert_eq!(more.hits.len(), 5);
    assert!(more.hits.iter().all(|hit| !ids.contains(&hit.id)));
    let first = shelf.search("rain jacket", 5).unwrap();
    let answer_title = first.hits[0].field("title");
    let same = shelf.get(ids[0]).unwrap().unwrap();
    assert_eq!(same.field("title"), answer_title);
    let similar = shelf.similar(ids[0], &options).unwrap();
    assert!(similar.hits.iter().all(|hit| hit.id != ids[0]));
    assert!(shelf.get("nobody").unwrap().is_none());
    // Without a word, all items are wanted.
    let all = shelf.search(" \n", 5).unwrap();
    assert_eq!(
        (all.hits.len(), all.matches.unwrap().count),
        (5, shelf.len() as u64)
    );
}

#[test]
fn a_filter_leaves_the_items_that_it_allows() {
    let shelf = Shelf::open(folder()).unwrap();
    let options = SearchOptions {
        filter: Some(Filter::below("price", 20.0)),
        ..Default::default()
    };
    let answer = shelf.search_with("a gift", &options).unwrap();
    let cheap = |value| matches!(value, Some(ValueRef::Number(price)) if price < 20.0);
    assert_eq!(answer.hits.len(), 10);
    assert!(answer.hits.iter().all(|hit| cheap(hit.field("price"))));
}

#[test]
fn what_is_lacking_is_named_by_its_kind() {
    let missing = Shelf::open(folder().join("nowhere")).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Io);
    let manifest = std::fs::read(folder().join(nearshelf::MANIFEST_NAME)).unwrap();
    let shelf = Shelf::from_manifest(&manifest).unwrap();
    assert_eq!(
        shelf.search("tent", 3).unwrap_err().kind(),
        ErrorKind::Missing
    );
    let whole = Shelf::open(folder()).unwrap();
    let unknown = Query::Similar("nobody");
    let error = whole
        .search_with(unknown, &SearchOptions::default())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().contains("nobody"), "{error}");
    assert_eq!(
        Shelf::from_manifest(&manifest[1..]).unwrap_err().kind(),
        ErrorKind::Damaged
    );
}
