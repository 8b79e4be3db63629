//! The shelf that comes with the repository, searched as an app would.

use std::fs;
use std::ops::Range;

use nearshelf::{
    Bytes, ErrorKind, MANIFEST_NAME, Mode, Query, Recommend, SearchOptions, Shelf, ValueRef,
};
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
        let exact = shelf
            .search_exact(&text, &SearchOptions::default())
            .unwrap();
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
    assert_eq!(shelf.search("", 10).unwrap().hits.len(), 10);
    assert_eq!(shelf.search(" \t\n", 10).unwrap().hits.len(), 10);
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

#[test]
fn items_are_found_by_items_that_are_liked() {
    let shelf = Shelf::open(demo()).unwrap();
    let liked = shelf.search("hiking boots for rainy days", 3).unwrap();
    let ids: Vec<&str> = liked.hits.iter().map(|hit| hit.id).collect();
    let options = SearchOptions::default();
    let like = |like: &[&str], unlike: &[&str]| {
        let asked = Recommend {
            like,
            unlike,
            ..Default::default()
        };
        let answer = shelf.recommend(&asked, &options);
        answer.map(|answer| {
            answer
                .hits
                .iter()
                .map(|hit| hit.id.to_owned())
                .collect::<Vec<_>>()
        })
    };
    let found = like(&ids, &[]).unwrap();
    assert_eq!(found.len(), 10);
    assert!(ids.iter().all(|id| !found.contains(&(*id).to_owned())));
    let boots = |ids: &[String]| {
        let title = |id: &String| {
            let (_, shard, item) = shelf.items().find(|(known, ..)| known == id).unwrap();
            shelf.value(shard, item, "title")
        };
        let boots = |value: Option<ValueRef<'_>>| matches!(value, Some(ValueRef::Text(title)) if title.contains("Boots"));
        ids.iter().filter(|id| boots(title(id))).count()
    };
    assert!(boots(&found) >= 8, "{found:?}");
    // Exact search finds the same, and what is not liked moves the answer.
    let query = Recommend {
        like: &ids,
        ..Default::default()
    };
    let exact = shelf
        .search_exact(Query::Recommend(query), &options)
        .unwrap();
    assert_eq!(exact.iter().map(|hit| hit.id).collect::<Vec<_>>(), found);
    assert_ne!(like(&ids, &[&found[0]]).unwrap(), found);

    for (liked, unliked, named) in [
        (&["nowhere"][..], &[][..], "nowhere"),
        (&[ids[0]], &["gone"], "gone"),
        (&[], &[], "an id that is liked"),
    ] {
        let error = like(liked, unliked).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn a_query_in_another_script_says_that_it_is_unknown() {
    let shelf = Shelf::open(demo()).unwrap();
    for (query, unknown) in [("雨衣", true), ("🧥☔️", true), ("rain jacket", false)] {
        let answer = shelf.search(query, 3).unwrap();
        let all = answer.unknown + 2 == answer.tokens;
        assert_eq!(
            all, unknown,
            "{query}: {} of {}",
            answer.unknown, answer.tokens
        );
    }
}

/// A search over a shard of which only the ranges come that it asks for.
#[test]
fn ranges_of_a_shard_answer_as_the_whole_of_it() {
    let whole = Shelf::open(demo()).unwrap();
    let manifest = fs::read(demo().join(MANIFEST_NAME)).unwrap();
    let mut shelf = Shelf::from_manifest(&manifest).unwrap();
    let file = shelf.manifest().shards[0].file.clone();
    let bytes = fs::read(demo().join(&file.name)).unwrap();
    let head = file.head.unwrap().bytes as usize;
    let mut other = bytes[..head].to_vec();
    other[100] ^= 1;
    let altered = shelf.attach_head(&file.name, &other).unwrap_err();
    assert_eq!(altered.kind(), ErrorKind::Altered);
    shelf.attach_head(&file.name, &bytes[..head]).unwrap();

    let mut fetched = head;
    let mut fetch = |shelf: &mut Shelf, wanted: Range<usize>| {
        for range in shelf.fetches(0, wanted) {
            let part = bytes[range.clone()].to_vec();
            // Shorter, longer, altered: an error, and the next try is clean.
            let mut altered = part.clone();
            altered[0] ^= 1;
            for wrong in [part[1..].to_vec(), [&part[..], &[0]].concat(), altered] {
                assert!(shelf.add_range(0, range.clone(), wrong).is_err());
            }
            fetched += part.len();
            shelf.add_range(0, range, part).unwrap();
        }
    };
    let encoder = whole.encoder().unwrap();
    let options = SearchOptions::default();
    for text in ["a warm coat", "a gift for someone who loves gardening"] {
        let vector = encoder.encode(text).unwrap().vector;
        loop {
            let absent = shelf.search_vector(&vector, &options).unwrap().absent;
            if absent.is_empty() {
                break;
            }
            for (_, range) in absent {
                fetch(&mut shelf, range);
            }
        }
        loop {
            let found = shelf.search_vector(&vector, &options).unwrap();
            let absent: Vec<_> = found.hits.iter().flat_map(|hit| hit.absent()).collect();
            if absent.is_empty() {
                break;
            }
            for range in absent {
                fetch(&mut shelf, range);
            }
        }
        let expected = whole.search_vector(&vector, &options).unwrap();
        let found = shelf.search_vector(&vector, &options).unwrap();
        let about = |hit: &nearshelf::Hit<'_>| {
            (
                hit.id.to_owned(),
                hit.score,
                format!("{:?}", hit.fields().collect::<Vec<_>>()),
            )
        };
        let [found, expected] =
            [found, expected].map(|f| f.hits.iter().map(about).collect::<Vec<_>>());
        assert_eq!(found, expected, "{text}");
    }
    println!("{fetched} of {} bytes", bytes.len());
    assert!(
        fetched < bytes.len() * 9 / 10,
        "{fetched} of {} bytes",
        bytes.len()
    );
}

/// The demo's shelf of which words are here, and of its shard the front; and the whole of it.
fn fronted() -> (Shelf, Shelf) {
    let whole = Shelf::open(demo()).unwrap();
    let described = whole.manifest().shards[0].clone();
    let front = described.front.unwrap();
    let packed = fs::read(demo().join(&front.file.name)).unwrap();
    front.file.verify(&packed).unwrap();
    let first = miniz_oxide::inflate::decompress_to_vec_zlib(&packed).unwrap();
    let shard = fs::read(demo().join(&described.file.name)).unwrap();
    assert_eq!(first, shard[..front.bytes as usize]);
    println!(
        "{} of {} bytes, {} packed",
        first.len(),
        shard.len(),
        packed.len()
    );
    assert!(
        packed.len() < shard.len() / 10,
        "{} bytes packed",
        packed.len()
    );

    let manifest = fs::read(demo().join(MANIFEST_NAME)).unwrap();
    let mut shelf = Shelf::from_manifest(&manifest).unwrap();
    let words = shelf.manifest().words.clone().unwrap().file.name;
    let file = fs::read(demo().join(&words)).unwrap();
    shelf.attach(&words, file.into(), false).unwrap();
    let mut altered = first.clone();
    altered[front.bytes as usize / 2] ^= 1;
    let error = shelf
        .attach_head(&described.file.name, &altered)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    shelf.attach_head(&described.file.name, &first).unwrap();

    (shelf, whole)
}

#[test]
fn the_front_of_a_shard_answers_by_words_as_the_whole_of_it() {
    let (shelf, whole) = fronted();
    let about = |answer: &nearshelf::Found<'_>| {
        let hit = |hit: &nearshelf::Hit<'_>| {
            format!(
                "{} {} {:?}",
                hit.id,
                hit.score,
                hit.fields().collect::<Vec<_>>()
            )
        };
        (
            answer.hits.iter().map(hit).collect::<Vec<_>>(),
            format!("{:?} {:?}", answer.matches, answer.facets),
        )
    };
    let options = SearchOptions {
        mode: Mode::Words,
        filter: Some("price < 200".parse().unwrap()),
        facets: vec!["brand:5".parse().unwrap()],
        ..Default::default()
    };
    for text in ["rain jacket", "a warm coat", "tent for two", ""] {
        let query = Query::Text(text);
        let found = shelf.search_encoded(&query, None, &options).unwrap();
        assert_eq!(
            about(&found),
            about(&whole.search_encoded(&query, None, &options).unwrap()),
            "{text}"
        );
        assert!(found.hits.len() == 10 && found.absent.is_empty());
        assert!(
            shelf
                .missing_encoded(&query, None, &options)
                .unwrap()
                .is_empty()
        );
    }
    // A vector has nothing to be compared with, and what is not compared is no hit.
    let encoder = whole.encoder().unwrap();
    let vector = encoder.encode("rain jacket").unwrap().vector;
    let query = Query::Text("rain jacket");
    let options = SearchOptions::default();
    let found = shelf
        .search_encoded(&query, Some(&vector), &options)
        .unwrap();
    assert_eq!((found.hits.len(), found.stats.missing), (0, 1));
    assert_eq!(
        shelf
            .missing_encoded(&query, Some(&vector), &options)
            .unwrap(),
        [0]
    );
}

#[test]
fn files_that_are_lacking_or_unknown_are_named() {
    let manifest = fs::read(demo().join(MANIFEST_NAME)).unwrap();
    let mut shelf = Shelf::from_manifest(&manifest).unwrap();
    let error = shelf.search("tent", 3).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert!(error.to_string().contains(".nsn"), "{error}");
    let error = shelf
        .attach("other.nss", Bytes::from(vec![]), false)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    let name = shelf.manifest().shards[0].file.name.clone();
    let error = shelf
        .attach(&name, Bytes::from(vec![0; 9]), false)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Altered);
}
