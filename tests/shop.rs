//! Questions of a shop's page beside its queries, on a shelf of several shards, against every item looked at by itself: facets,
//! orders, pages, variants, pins; items like others.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::sync::LazyLock;

use nearshelf::{
    Bytes, ErrorKind, FacetCounts, Hit, MANIFEST_NAME, Mode, Recommend, SearchOptions, Shelf,
    ValueRef,
};
use nearshelf_build::{BuildOptions, Model, NoProgress, build};
use support::{demo_items, demo_model};

/// Queries of words that the demo has, of meanings alone, and misspelt.
const QUERIES: [&str; 6] = [
    "warm jacket for hiking",
    "a gift for a gardener",
    "kettle",
    "blue running shoes",
    "something to keep my coffee hot",
    "raincot",
];

struct Sharded {
    shelf: Shelf,
    folder: tempfile::TempDir,
}

static SHARDED: LazyLock<Sharded> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = demo_items().iter().map(|row| format!("{row}\n")).collect();
    let items = folder.path().join("items.jsonl");
    fs::write(&items, rows).unwrap();
    let model = demo_model();
    let options = BuildOptions {
        shard_size: 1500,
        ..BuildOptions::default()
    };
    let out = folder.path().join("shelf");
    let model = Model::open(model.path()).unwrap();
    build(&items, &model, &out, &options, &NoProgress).unwrap();
    Sharded {
        shelf: Shelf::open(out).unwrap(),
        folder,
    }
});

fn shelf() -> &'static Shelf {
    &SHARDED.shelf
}

fn options(k: usize) -> SearchOptions {
    SearchOptions {
        k,
        ..Default::default()
    }
}

fn ids(hits: &[Hit<'_>]) -> Vec<String> {
    hits.iter().map(|hit| hit.id.to_owned()).collect()
}

fn number(hit: &Hit<'_>, field: &str) -> Option<f64> {
    match hit.field(field)? {
        ValueRef::Number(number) => Some(number),
        _ => None,
    }
}

/// Values of a field as facets tell them, of all items for which `of` is true.
fn counted(field: &str, of: impl Fn(u32, u32) -> bool) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for (_, shard, item) in shelf().items().filter(|&(_, shard, item)| of(shard, item)) {
        let values = match shelf().value(shard, item, field) {
            None | Some(ValueRef::Number(_)) => vec![],
            Some(ValueRef::Text(text)) => vec![text.to_owned()],
            Some(ValueRef::Bool(value)) => vec![value.to_string()],
            Some(ValueRef::Tags(tags)) => tags.into_iter().map(str::to_owned).collect(),
        };
        for value in values {
            *counts.entry(value).or_default() += 1;
        }
    }
    counts
}

fn price(shard: u32, item: u32) -> f64 {
    match shelf().value(shard, item, "price") {
        Some(ValueRef::Number(price)) => price,
        _ => f64::NAN,
    }
}

#[test]
fn facets_count_every_item_that_matches() {
    assert!(shelf().manifest().shards.len() > 3);
    for (filter, of) in [
        (None, (|_, _| true) as fn(u32, u32) -> bool),
        (Some("price < 30"), |shard, item| price(shard, item) < 30.0),
    ] {
        let facets = [
            "brand:1000",
            "category",
            "tags:100000",
            "in_stock",
            "title:5",
        ];
        let asked = SearchOptions {
            filter: filter.map(|filter| filter.parse().unwrap()),
            facets: facets.map(|facet| facet.parse().unwrap()).to_vec(),
            ..options(1)
        };
        let answer = shelf().search_with("", &asked).unwrap();
        let all = shelf().items().filter(|&(_, shard, item)| of(shard, item));
        let matches = answer.matches.unwrap();
        assert_eq!((matches.count, matches.exact), (all.count() as u64, true));
        for facet in &answer.facets {
            let FacetCounts::Values { values, distinct } = &facet.counts else {
                panic!("{facet:?}");
            };
            let expected = counted(&facet.field, of);
            assert_eq!(*distinct, expected.len(), "{}", facet.field);
            let mut ranked: Vec<(String, u64)> = expected.into_iter().collect();
            ranked.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
            let told: Vec<(String, u64)> = values
                .iter()
                .map(|value| (value.value.clone(), value.count))
                .collect();
            assert_eq!(told, ranked[..told.len()], "{}", facet.field);
        }
        let told = |field: usize| match &answer.facets[field].counts {
            FacetCounts::Values { values, .. } => values.len(),
            FacetCounts::Numbers { .. } => 0,
        };
        assert_eq!(told(4), 5);
    }
}

#[test]
fn ranges_and_histograms_hold_every_number_once() {
    let asked = SearchOptions {
        facets: ["price:..50|50..100|100..", "price:histogram:12"]
            .map(|facet| facet.parse().unwrap())
            .to_vec(),
        ..options(1)
    };
    let answer = shelf().search_with("", &asked).unwrap();
    let prices: Vec<f64> = shelf()
        .items()
        .map(|(_, shard, item)| price(shard, item))
        .collect();
    let least = prices.iter().copied().fold(f64::INFINITY, f64::min);
    let most = prices.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for facet in &answer.facets {
        let FacetCounts::Numbers {
            min,
            max,
            ranges,
            histogram,
        } = &facet.counts
        else {
            panic!("{facet:?}");
        };
        assert_eq!((*min, *max), (Some(least), Some(most)));
        let counts = ranges.iter().chain(histogram);
        assert_eq!(
            counts.map(|range| range.count).sum::<u64>(),
            prices.len() as u64
        );
    }
    let FacetCounts::Numbers { ranges, .. } = &answer.facets[0].counts else {
        panic!("{answer:?}");
    };
    let below = prices.iter().filter(|price| **price < 50.0).count();
    assert_eq!(ranges[0].count, below as u64);
}

#[test]
fn the_match_set_is_what_is_not_weak() {
    for query in QUERIES {
        let asked = SearchOptions {
            mode: Mode::Words,
            leave_weak: true,
            facets: vec!["category".parse().unwrap()],
            ..options(100_000)
        };
        let answer = shelf().search_with(query, &asked).unwrap();
        assert_eq!(
            answer.matches.unwrap().count,
            answer.hits.len() as u64,
            "{query}"
        );
        let FacetCounts::Values { values, .. } = &answer.facets[0].counts else {
            panic!("{answer:?}");
        };
        let total: u64 = values.iter().map(|value| value.count).sum();
        assert_eq!(total, answer.hits.len() as u64, "{query}");
        // Beside the words, what is near in meaning.
        let hybrid = SearchOptions {
            mode: Mode::Hybrid,
            ..asked
        };
        let more = shelf().search_with(query, &hybrid).unwrap();
        assert!(more.matches.unwrap().count >= total, "{query}");
    }
}

#[test]
fn items_near_in_meaning_are_those_above_the_cut_off() {
    let cutoff = shelf().manifest().search.chance.best;
    for query in QUERIES {
        let asked = SearchOptions {
            mode: Mode::Meaning,
            sort: vec!["price".parse().unwrap()],
            ..options(100_000)
        };
        let sorted = shelf().search_with(query, &asked).unwrap();
        let matches = sorted.matches.unwrap();
        let plain = SearchOptions {
            sort: vec![],
            ..asked
        };
        let exact = shelf().search_exact(query, &plain).unwrap();
        let above: BTreeSet<&str> = exact
            .iter()
            .filter(|hit| hit.score >= cutoff)
            .map(|hit| hit.id)
            .collect();
        let found: BTreeSet<&str> = sorted.hits.iter().map(|hit| hit.id).collect();
        let all: HashMap<&str, f32> = exact.iter().map(|hit| (hit.id, hit.score)).collect();
        let wrong: Vec<f32> = found.difference(&above).map(|id| all[id]).collect();
        assert!(wrong.is_empty(), "{query}: {wrong:?}");
        // Walks miss one of a hundred.
        assert!(
            !matches.exact || found.len() * 100 >= above.len() * 98,
            "{query}: {} of {}",
            found.len(),
            above.len()
        );
        let is_near_the_bound = above.len() > 800;
        assert!(
            matches.exact != is_near_the_bound,
            "{query}: {}",
            above.len()
        );
    }
}

#[test]
fn an_order_by_fields_is_that_of_all_items_that_match() {
    // Without a query: everything, in the order of the prices, page by page.
    let mut all: Vec<(f64, String)> = shelf()
        .items()
        .map(|(id, shard, item)| (price(shard, item), id.to_owned()))
        .collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut found: Vec<f64> = Vec::new();
    for page in 0..5 {
        let asked = SearchOptions {
            offset: page * 40,
            sort: vec!["price:asc".parse().unwrap()],
            ..options(40)
        };
        let answer = shelf().search_with(" ", &asked).unwrap();
        found.extend(answer.hits.iter().map(|hit| number(hit, "price").unwrap()));
    }
    let expected: Vec<f64> = all.iter().take(200).map(|(price, _)| *price).collect();
    assert_eq!(found, expected);
    for query in QUERIES {
        let asked = SearchOptions {
            sort: ["in_stock:desc", "price:desc"]
                .map(|sort| sort.parse().unwrap())
                .to_vec(),
            ..options(200)
        };
        let answer = shelf().search_with(query, &asked).unwrap();
        assert_eq!(
            answer.hits.len() as u64,
            answer.matches.unwrap().count.min(200),
            "{query}"
        );
        assert!(answer.hits.iter().all(|hit| !hit.is_weak()), "{query}");
        let keys = answer.hits.iter().map(|hit| {
            let in_stock = hit.field("in_stock") == Some(ValueRef::Bool(true));
            (in_stock, number(hit, "price").unwrap())
        });
        let keys: Vec<(bool, f64)> = keys.collect();
        assert!(keys.is_sorted_by(|a, b| a >= b), "{query}: {keys:?}");
    }
}

#[test]
fn pages_hold_every_hit_once() {
    for query in QUERIES {
        for (distinct, diversity) in [(None, 0.0), (None, 0.5), (Some("title"), 0.0)] {
            let mut seen = BTreeSet::new();
            let mut last = f32::INFINITY;
            for page in 0..20 {
                let asked = SearchOptions {
                    offset: page * 9,
                    distinct: distinct.map(str::to_owned),
                    diversity,
                    ..options(9)
                };
                let hits = shelf().search_with(query, &asked).unwrap().hits;
                assert_eq!(hits.len(), 9, "{query}, page {page}");
                for hit in &hits {
                    assert!(
                        seen.insert(hit.id.to_owned()),
                        "{query}, page {page}: {}",
                        hit.id
                    );
                }
                if page == 0 {
                    last = hits[0].score;
                }
                assert!(hits.iter().all(|hit| hit.score <= last + 1e-6), "{query}");
            }
        }
        // The first page is the search's own.
        let first = shelf().search(query, 9).unwrap();
        let asked = SearchOptions {
            offset: 9,
            ..options(9)
        };
        let second = shelf().search_with(query, &asked).unwrap();
        assert!(
            ids(&second.hits)
                .iter()
                .all(|id| !ids(&first.hits).contains(id))
        );
    }
    let past = SearchOptions {
        offset: 1_000_000,
        ..options(10)
    };
    assert!(
        shelf()
            .search_with("kettle", &past)
            .unwrap()
            .hits
            .is_empty()
    );
    let huge = SearchOptions {
        offset: usize::MAX,
        ..options(usize::MAX)
    };
    assert!(
        shelf()
            .search_with("kettle", &huge)
            .unwrap()
            .hits
            .is_empty()
    );
}

#[test]
fn a_value_has_one_hit_and_tells_its_variants() {
    for (query, filter) in [
        ("kettle", None),
        ("", None),
        ("warm jacket", Some("price < 100")),
    ] {
        let asked = SearchOptions {
            distinct: Some("brand".into()),
            filter: filter.map(|filter| filter.parse().unwrap()),
            ..options(100)
        };
        let answer = shelf().search_with(query, &asked).unwrap();
        let allowed = |shard, item| filter.is_none() || price(shard, item) < 100.0;
        let brands = counted("brand", allowed);
        assert_eq!(answer.hits.len(), brands.len(), "{query}");
        let mut seen = BTreeSet::new();
        for hit in &answer.hits {
            let Some(ValueRef::Text(brand)) = hit.field("brand") else {
                panic!("{hit:?}");
            };
            assert!(seen.insert(brand), "{query}: {brand}");
            assert_eq!(hit.variants, Some(brands[brand]), "{query}: {brand}");
        }
    }
}

#[test]
fn pins_come_first_and_what_is_hidden_never() {
    let found = ids(&shelf().search("kettle", 10).unwrap().hits);
    let pin = vec![found[7].clone(), "gone".to_owned(), found[3].clone()];
    let hide = vec![found[0].clone(), found[7].clone(), "gone".to_owned()];
    let asked = SearchOptions {
        pin: pin.clone(),
        ..options(10)
    };
    let pinned = ids(&shelf().search_with("kettle", &asked).unwrap().hits);
    let rest = found.iter().filter(|id| !pin.contains(id)).cloned();
    let expected: Vec<String> = [found[7].clone(), found[3].clone()]
        .into_iter()
        .chain(rest)
        .collect();
    assert_eq!(pinned, expected);
    for sort in [vec![], vec!["price:desc".parse().unwrap()]] {
        let asked = SearchOptions {
            pin: pin.clone(),
            hide: hide.clone(),
            sort,
            ..options(500)
        };
        let hits = ids(&shelf().search_with("kettle", &asked).unwrap().hits);
        assert_eq!(hits[0], found[3]);
        assert!(hits.iter().all(|id| !hide.contains(id)));
    }
    // A filter is a promise: no pin breaks it.
    let asked = SearchOptions {
        pin,
        filter: Some("price > 1e6".parse().unwrap()),
        ..options(10)
    };
    assert!(
        shelf()
            .search_with("kettle", &asked)
            .unwrap()
            .hits
            .is_empty()
    );
}

#[test]
fn boosts_lift_by_the_formula() {
    let plain: HashMap<String, f32> = shelf()
        .search("warm jacket", 200)
        .unwrap()
        .hits
        .iter()
        .map(|hit| (hit.id.to_owned(), hit.score))
        .collect();
    let asked = SearchOptions {
        boosts: ["in_stock:0.5", "price:0.25:100"]
            .map(|boost| boost.parse().unwrap())
            .to_vec(),
        ..options(50)
    };
    let answer = shelf().search_with("warm jacket", &asked).unwrap();
    let mut compared = 0;
    for hit in &answer.hits {
        let stock = f32::from(u8::from(
            hit.field("in_stock") == Some(ValueRef::Bool(true)),
        ));
        let price = number(hit, "price").unwrap();
        let lift = 0.5 * stock + 0.25 * (price / (price + 100.0)) as f32;
        if let Some(score) = plain.get(hit.id) {
            assert!((hit.score - score - lift).abs() < 1e-5, "{hit:?}");
            compared += 1;
        }
    }
    assert!(compared > 20, "{compared}");
    assert!(answer.hits.is_sorted_by(|a, b| a.score >= b.score));
    // Browsing, boosts are all that there is.
    let asked = SearchOptions {
        boosts: vec!["price:-1".parse().unwrap()],
        ..options(5)
    };
    let cheapest = shelf().search_with("", &asked).unwrap();
    let least = shelf()
        .items()
        .map(|(_, shard, item)| price(shard, item))
        .fold(f64::MAX, f64::min);
    assert_eq!(number(&cheapest.hits[0], "price"), Some(least));
}

#[test]
fn what_is_like_an_item_has_its_words_and_its_meaning() {
    let first = shelf().search("water bottle", 1).unwrap();
    let id = first.hits[0].id;
    let similar = shelf().similar(id, &options(10)).unwrap();
    assert_eq!(similar.hits.len(), 10);
    assert!(similar.hits.iter().all(|hit| hit.id != id));
    let bottles = similar.hits.iter().filter(|hit| match hit.field("title") {
        Some(ValueRef::Text(title)) => title.contains("Bottle"),
        _ => false,
    });
    assert!(bottles.count() >= 8);
    assert!(similar.hits[0].parts.meaning.is_some() && similar.hits[0].parts.words.is_some());
    // With the rest of what a page asks.
    let asked = SearchOptions {
        filter: Some("price < 40".parse().unwrap()),
        distinct: Some("brand".into()),
        sort: vec!["price:asc".parse().unwrap()],
        ..options(10)
    };
    let cheap = shelf().similar(id, &asked).unwrap();
    let prices: Vec<f64> = cheap
        .hits
        .iter()
        .map(|hit| number(hit, "price").unwrap())
        .collect();
    assert!(
        prices.is_sorted() && prices.iter().all(|price| *price < 40.0),
        "{prices:?}"
    );
}

#[test]
fn interests_are_kept_apart_and_a_text_steers() {
    let one = |query: &str| shelf().search(query, 1).unwrap().hits[0].id.to_owned();
    let (boots, bottle) = (one("hiking boots"), one("water bottle"));
    let titles = |asked: &Recommend<'_>, options: &SearchOptions| -> Vec<String> {
        let answer = shelf().recommend(asked, options).unwrap();
        let title = |hit: &Hit<'_>| match hit.field("title") {
            Some(ValueRef::Text(title)) => title.to_owned(),
            _ => String::new(),
        };
        answer.hits.iter().map(title).collect()
    };
    let with = |titles: &[String], word: &str| titles.iter().filter(|t| t.contains(word)).count();
    let like = [boots.as_str(), bottle.as_str()];
    let asked = Recommend {
        like: &like,
        ..Default::default()
    };
    let found = titles(&asked, &options(20));
    assert!(
        with(&found, "Boots") >= 3 && with(&found, "Bottle") >= 3,
        "{found:?}"
    );
    let weights = [1.0, 0.0];
    let boots_only = titles(
        &Recommend {
            weights: &weights,
            ..asked
        },
        &options(10),
    );
    assert!(with(&boots_only, "Boots") >= 9, "{boots_only:?}");
    let text = Some("something to drink from");
    let steered = titles(&Recommend { text, ..asked }, &options(10));
    assert!(
        with(&steered, "Bottle") > with(&steered, "Boots"),
        "{steered:?}"
    );
    // A text alone is a search.
    let alone = Recommend {
        text: Some("kettle"),
        ..Default::default()
    };
    let answer = shelf().recommend(&alone, &options(5)).unwrap();
    assert_eq!(
        ids(&answer.hits),
        ids(&shelf().search("kettle", 5).unwrap().hits)
    );
}

#[test]
fn diversity_brings_hits_that_are_less_alike() {
    let vectors = |diversity: f32| -> Vec<Vec<f32>> {
        let asked = SearchOptions {
            diversity,
            ..options(10)
        };
        let answer = shelf()
            .search_with("warm jacket for hiking", &asked)
            .unwrap();
        let titles = answer.hits.iter().map(|hit| match hit.field("title") {
            Some(ValueRef::Text(title)) => shelf().encoder().unwrap().encode(title).unwrap().vector,
            _ => panic!("{hit:?}"),
        });
        titles.collect()
    };
    let alike = |vectors: &[Vec<f32>]| -> f32 {
        let pairs = vectors.iter().enumerate().flat_map(|(i, a)| {
            vectors[..i]
                .iter()
                .map(move |b| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>())
        });
        pairs.sum()
    };
    let [none, some, much] = [0.0, 0.3, 0.7].map(|diversity| alike(&vectors(diversity)));
    assert!(none > some && some > much, "{none} {some} {much}");
}

#[test]
fn what_the_shelf_does_not_have_is_named() {
    let error = |asked: SearchOptions| {
        let error = shelf().search_with("kettle", &asked).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        error.to_string()
    };
    for (asked, expected) in [
        (
            SearchOptions {
                sort: vec!["prise:asc".parse().unwrap()],
                ..options(1)
            },
            "sort: expected a field of the shelf, perhaps price, found prise",
        ),
        (
            SearchOptions {
                sort: vec!["tags".parse().unwrap()],
                ..options(1)
            },
            "sort: expected a field of type number or text or bool, found tags, of type tags",
        ),
        (
            SearchOptions {
                boosts: vec!["brand:1".parse().unwrap()],
                ..options(1)
            },
            "boosts: expected a field of type number or bool, found brand, of type text",
        ),
        (
            SearchOptions {
                boosts: vec!["price:NaN".parse().unwrap()],
                ..options(1)
            },
            "boosts: expected a finite weight, and a pivot above 0, found NaN:1",
        ),
        (
            SearchOptions {
                facets: vec!["colour".parse().unwrap()],
                ..options(1)
            },
            "facets: expected a field of the shelf",
        ),
        (
            SearchOptions {
                distinct: Some("tags".into()),
                ..options(1)
            },
            "distinct: expected a field of type number or text or bool, found tags, of type tags",
        ),
        (
            SearchOptions {
                diversity: f32::NAN,
                ..options(1)
            },
            "diversity: expected 0 to 1, found NaN",
        ),
        (
            SearchOptions {
                hide: vec!["x".into(); 5000],
                ..options(1)
            },
            "pin, hide: expected at most 1000 ids each, found 5000",
        ),
    ] {
        let found = error(asked);
        assert!(found.contains(expected), "{found}");
    }
}

#[test]
fn items_that_are_not_there_are_named() {
    for (asked, expected) in [
        (
            Recommend::default(),
            "expected an id that is liked or a text",
        ),
        (
            Recommend {
                like: &["gone", "lost"],
                ..Default::default()
            },
            "gone, lost",
        ),
    ] {
        let found = shelf()
            .recommend(&asked, &options(1))
            .unwrap_err()
            .to_string();
        assert!(found.contains(expected), "{found}");
    }
}

#[test]
fn what_is_not_here_makes_counts_inexact() {
    let folder = SHARDED.folder.path().join("shelf");
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let mut part = Shelf::from_manifest(&read(MANIFEST_NAME)).unwrap();
    let shards = part.manifest().shards.clone();
    let words = part.manifest().words.as_ref().unwrap().file.name.clone();
    part.attach(&words, Bytes::from(read(&words)), false)
        .unwrap();
    part.attach(
        &shards[0].file.name,
        Bytes::from(read(&shards[0].file.name)),
        false,
    )
    .unwrap();
    let asked = SearchOptions {
        mode: Mode::Words,
        facets: vec!["brand".parse().unwrap()],
        ..options(10)
    };
    for query in ["", "kettle"] {
        let answer = part.search_with(query, &asked).unwrap();
        assert!(!answer.matches.unwrap().exact, "{query}");
    }
    // Ten items of any are here; an order by price needs all.
    assert!(part.missing("", &asked).unwrap().is_empty());
    let sorted = SearchOptions {
        sort: vec!["price".parse().unwrap()],
        ..asked.clone()
    };
    let expected: Vec<usize> = (1..shards.len()).collect();
    assert_eq!(part.missing("", &sorted).unwrap(), expected);
    for number in expected {
        let name = &shards[number].file.name;
        part.attach(name, Bytes::from(read(name)), false).unwrap();
    }
    for query in ["", "kettle"] {
        let answer = part.search_with(query, &asked).unwrap();
        assert!(answer.matches.unwrap().exact, "{query}");
        assert_eq!(
            ids(&answer.hits),
            ids(&shelf().search_with(query, &asked).unwrap().hits)
        );
    }
}
