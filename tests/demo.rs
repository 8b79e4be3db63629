//! The shelf that comes with the repository, searched as an app would.

use nearshelf::{SearchOptions, Shelf, ValueRef};
use support::{demo, varied_texts};

#[test]
fn the_demo_answers_by_meaning() {
    let shelf = Shelf::open(demo()).unwrap();
    assert!(shelf.len() >= 5000);
    // What a shopper says, and a word of what the titles say.
    for (query, expected) in [
        (
            "something warm for a rainy hike",
            "Jacket|Boots|Fleece|Trousers",
        ),
        ("keeps my coffee hot on the go", "Thermos|Bottle|Coffee"),
        ("what to wear at the beach", "Swimsuit|Beach|Sandals|Sun"),
        (
            "I cannot sleep because it is too bright",
            "Curtains|Lamp|Light",
        ),
        ("chop vegetables", "Knife|Cutting"),
    ] {
        let answer = shelf.search(query, 5).unwrap();
        assert_eq!(answer.hits.len(), 5);
        assert!(answer.hits.is_sorted_by(|a, b| a.score >= b.score));
        let right = answer.hits.iter().filter(|hit| {
            let Some(ValueRef::Text(title)) = hit.field("title") else {
                panic!("no title")
            };
            expected.split('|').any(|word| title.contains(word))
        });
        assert!(
            right.count() >= 3,
            "{query}: {:?}",
            answer.hits[0].field("title")
        );
    }
}

#[test]
fn recall_at_10_is_as_promised() {
    let shelf = Shelf::open(demo()).unwrap();
    let mut found = 0;
    let mut wanted = 0;
    for text in varied_texts() {
        let exact = shelf.search_exact(&text, 10).unwrap();
        let threshold = exact.last().unwrap().score;
        let answer = shelf.search_with(&text, &SearchOptions::default());
        let hits = answer.unwrap().hits;
        found += hits.iter().filter(|hit| hit.score >= threshold).count();
        wanted += 10;
    }
    let recall = found as f64 / f64::from(wanted);
    println!("recall@10 {recall:.4}");
    assert!(recall >= 0.98, "recall@10 {recall}");
}

#[test]
fn odd_queries_have_an_answer() {
    let shelf = Shelf::open(demo()).unwrap();
    assert_eq!(shelf.search("", 10).unwrap().hits.len(), 0);
    assert_eq!(shelf.search(" \t\n", 10).unwrap().hits.len(), 0);
    assert_eq!(shelf.search("tent", 0).unwrap().hits.len(), 0);
    assert!(shelf.search("\u{0}\u{1}", 3).is_ok());

    let megabyte = "warm jacket ".repeat(90_000);
    let answer = shelf.search(&megabyte, 3).unwrap();
    assert_eq!(
        (answer.tokens, answer.untruncated, answer.hits.len()),
        (256, 180_002, 3)
    );
    let no_word = "x".repeat(1_000_000);
    assert_eq!(shelf.search(&no_word, 3).unwrap().hits.len(), 3);

    let all = shelf.search("tent", usize::MAX).unwrap();
    assert_eq!(all.hits.len(), shelf.len());
}

#[test]
fn threads_share_a_shelf() {
    let shelf = Shelf::open(demo()).unwrap();
    let alone: Vec<(String, f32)> = shelf
        .search("red wine glasses", 10)
        .unwrap()
        .hits
        .iter()
        .map(|h| (h.id.into(), h.score))
        .collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let answer = shelf.search("red wine glasses", 10).unwrap();
                    let hits: Vec<(String, f32)> =
                        answer.hits.iter().map(|h| (h.id.into(), h.score)).collect();
                    assert_eq!(hits, alone);
                }
            });
        }
    });
}
