//! Shelves that are brought up to date: every answer is one of a living item with its newest fields, files appear whole or not at
//! all, and compaction makes what a build makes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nearshelf::{
    FacetCounts, FacetQuery, Hit, MANIFEST_NAME, Mode, Overlay, Recommend, SearchOptions, Shelf,
    Value, ValueRef,
};
use nearshelf_build::{
    BuildOptions, CompactOptions, Error, Model, NoProgress, UpdateOptions, build, compact, update,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value as Json, json};
use support::history::{Row, Rows, Shop, build_options, write_rows};
use support::{demo_items, demo_model, nearshelf, outcome};

fn options(k: usize) -> SearchOptions {
    SearchOptions {
        k,
        ..Default::default()
    }
}

fn assert_newest(rows: &Rows, hit: &Hit<'_>) {
    let row = rows
        .get(hit.id)
        .unwrap_or_else(|| panic!("{} is gone", hit.id));
    assert_eq!(
        hit.field("title"),
        Some(ValueRef::Text(&row.title)),
        "{}",
        hit.id
    );
    assert_eq!(
        hit.field("price"),
        row.price.map(ValueRef::Number),
        "{}",
        hit.id
    );
    assert_eq!(
        hit.field("in_stock"),
        Some(ValueRef::Bool(row.in_stock)),
        "{}",
        hit.id
    );
    let tags = row.tags.iter().map(String::as_str).collect();
    assert_eq!(hit.field("tags"), Some(ValueRef::Tags(tags)), "{}", hit.id);
}

/// Compares every kind of answer with the map.
fn assert_answers(shelf: &Shelf, rows: &Rows, random: &mut StdRng) {
    assert_eq!(shelf.len(), rows.len());
    let ids: BTreeSet<&str> = shelf.items().map(|(id, ..)| id).collect();
    assert!(ids.iter().copied().eq(rows.keys().map(String::as_str)));
    let all = shelf.search_with("", &options(rows.len() + 10)).unwrap();
    assert_eq!(all.hits.len(), rows.len());
    all.hits.iter().for_each(|hit| assert_newest(rows, hit));
    for mode in [Mode::Hybrid, Mode::Words, Mode::Meaning] {
        for query in [
            "red rain jacket",
            "something for the garden",
            "knife",
            "lamp blue",
        ] {
            let options = SearchOptions {
                mode,
                ..options(20)
            };
            let answer = shelf.search_with(query, &options).unwrap();
            answer.hits.iter().for_each(|hit| assert_newest(rows, hit));
            if mode != Mode::Words {
                assert_eq!(answer.hits.len(), 20.min(rows.len()), "{mode:?} {query}");
            }
        }
    }
    assert_filters(shelf, rows);
    for _ in 0..5 {
        let at = random.random_range(0..rows.len());
        let (id, row) = rows.iter().nth(at).unwrap();
        assert_newest(rows, &shelf.get(id).unwrap().unwrap());
        // Its own word, its own code and its own vector find it first.
        let own = row.title.split(' ').next_back().unwrap();
        for query in [own, row.sku.as_str()] {
            let found = shelf.search(query, 3).unwrap();
            assert_eq!(found.hits[0].id, id, "{query}");
        }
        let vector = shelf.vector(id).unwrap().unwrap();
        let nearest = shelf.search_with(&vector[..], &options(1)).unwrap();
        assert_eq!(nearest.hits[0].id, id, "{}", row.title);
        let similar = shelf.similar(id, &options(10)).unwrap();
        assert!(similar.hits.iter().all(|hit| hit.id != id));
        similar.hits.iter().for_each(|hit| assert_newest(rows, hit));
        let liked = [id.as_str()];
        let liked = Recommend {
            like: &liked,
            ..Default::default()
        };
        let fit = shelf.recommend(&liked, &options(10)).unwrap();
        fit.hits.iter().for_each(|hit| assert_newest(rows, hit));
    }
}

/// Filters, facets and orders against the map.
fn assert_filters(shelf: &Shelf, rows: &Rows) {
    type Test = fn(&Row) -> bool;
    let filters: [(&str, Test); 5] = [
        ("price < 20", |row| {
            row.price.is_some_and(|price| price < 20.0)
        }),
        ("in_stock = true AND price >= 50", |row| {
            row.in_stock && row.price.is_some_and(|price| price >= 50.0)
        }),
        ("tags = 'sale'", |row| {
            row.tags.iter().any(|tag| tag == "sale")
        }),
        ("NOT in_stock = true", |row| !row.in_stock),
        ("price > 1000", |row| {
            row.price.is_some_and(|price| price > 1000.0)
        }),
    ];
    for (filter, passes) in filters {
        let wanted: BTreeSet<&str> = rows
            .iter()
            .filter(|(_, row)| passes(row))
            .map(|(id, _)| id.as_str())
            .collect();
        let filter = Some(filter.parse().unwrap());
        let asked = SearchOptions {
            filter,
            ..options(rows.len())
        };
        for query in ["", "blue scarf"] {
            let asked = SearchOptions {
                mode: if query.is_empty() {
                    Mode::Hybrid
                } else {
                    Mode::Meaning
                },
                ..asked.clone()
            };
            let found = shelf.search_with(query, &asked).unwrap();
            let found: BTreeSet<&str> = found.hits.iter().map(|hit| hit.id).collect();
            assert_eq!(found, wanted, "{query:?} {filter:?}", filter = asked.filter);
        }
    }
    assert_counts(shelf, rows);
}

/// Facets over all items, and an order by price.
fn assert_counts(shelf: &Shelf, rows: &Rows) {
    let asked = SearchOptions {
        facets: ["tags:100", "in_stock", "price:histogram:4"]
            .iter()
            .map(|f| f.parse::<FacetQuery>().unwrap())
            .collect(),
        sort: vec!["price:desc".parse().unwrap()],
        ..options(rows.len())
    };
    let answer = shelf.search_with("", &asked).unwrap();
    let mut tags: BTreeMap<&str, u64> = BTreeMap::new();
    for tag in rows.values().flat_map(|row| &row.tags) {
        *tags.entry(tag).or_default() += 1;
    }
    let FacetCounts::Values { values, .. } = &answer.facets[0].counts else {
        panic!("tags")
    };
    let told: BTreeMap<&str, u64> = values.iter().map(|v| (v.value.as_str(), v.count)).collect();
    assert_eq!(told, tags);
    let FacetCounts::Values { values, .. } = &answer.facets[1].counts else {
        panic!("in_stock")
    };
    let stocked = rows.values().filter(|row| row.in_stock).count() as u64;
    let told = values
        .iter()
        .find(|v| v.value == "true")
        .map_or(0, |v| v.count);
    assert_eq!(told, stocked);
    let prices: Vec<f64> = rows.values().filter_map(|row| row.price).collect();
    let FacetCounts::Numbers {
        min,
        max,
        histogram,
        ..
    } = &answer.facets[2].counts
    else {
        panic!("price")
    };
    assert_eq!(*min, prices.iter().copied().reduce(f64::min));
    assert_eq!(*max, prices.iter().copied().reduce(f64::max));
    assert_eq!(
        histogram.iter().map(|r| r.count).sum::<u64>(),
        prices.len() as u64
    );
    let mut sorted = prices;
    sorted.sort_by(|a, b| b.total_cmp(a));
    let shown: Vec<f64> = answer
        .hits
        .iter()
        .filter_map(|hit| match hit.field("price")? {
            ValueRef::Number(price) => Some(price),
            _ => None,
        })
        .collect();
    assert_eq!(shown, sorted);
}

#[test]
fn a_random_history_is_what_a_plain_map_says() {
    let mut shop = Shop::new(300, 20);
    let mut operations = 0;
    for round in 0..40 {
        let updated = shop.step(50);
        operations += 50;
        let shelf = Shelf::open(shop.shelf()).unwrap();
        shelf.verify().unwrap();
        let stats = &updated.manifest.fields;
        let price = stats.iter().find(|field| field.name == "price").unwrap();
        let priced = shop.rows.values().filter(|row| row.price.is_some()).count();
        assert_eq!(price.stats.present, priced as u64);
        if round % 4 == 0 || round > 36 {
            assert_answers(&shelf, &shop.rows, &mut shop.random);
        }
        if round == 25 {
            compact(&shop.shelf(), &CompactOptions::default(), &NoProgress).unwrap();
            let shelf = Shelf::open(shop.shelf()).unwrap();
            assert!(shelf.manifest().changes.is_empty());
            assert_answers(&shelf, &shop.rows, &mut shop.random);
        }
    }
    assert_eq!(operations, 2000);
}

/// Names and contents of a directory's files.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    let files = entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    files
        .map(|entry| {
            (
                entry.file_name().to_string_lossy().into_owned(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .collect()
}

#[test]
fn compaction_with_kept_vectors_makes_the_bytes_of_a_build() {
    let mut shop = Shop::new(260, 7);
    for _ in 0..6 {
        shop.step(40);
    }
    let before = files(&shop.shelf());
    let options = CompactOptions {
        reuse: Some(shop.path("cache")),
        out: Some(shop.path("compacted")),
        ..CompactOptions::default()
    };
    let compacted = compact(&shop.shelf(), &options, &NoProgress).unwrap();
    assert_eq!(compacted.reused as usize, shop.rows.len());
    assert_eq!(files(&shop.shelf()), before);

    // In another order of rows, and from nothing.
    write_rows(&shop.path("all.jsonl"), shop.rows.iter().rev());
    let fresh = shop.path("fresh");
    build(
        &shop.path("all.jsonl"),
        &shop.model,
        &fresh,
        &build_options(),
        &NoProgress,
    )
    .unwrap();
    assert!(files(&shop.path("compacted")) == files(&fresh));

    // In place, with nothing kept of what was.
    let here = CompactOptions {
        reuse: Some(shop.path("cache")),
        keep: 1,
        ..CompactOptions::default()
    };
    compact(&shop.shelf(), &here, &NoProgress).unwrap();
    assert!(files(&shop.shelf()) == files(&fresh));

    // A build that reuses them encodes nothing, and is the same; damage costs an encoding and no more.
    let mut cache = fs::read(shop.path("cache")).unwrap();
    for at in [60, 5000, 9000] {
        cache[at] ^= 1;
    }
    fs::write(shop.path("cache"), cache).unwrap();
    let reusing = BuildOptions {
        reuse: Some(shop.path("cache")),
        ..build_options()
    };
    let again = shop.path("again");
    let built = build(
        &shop.path("all.jsonl"),
        &shop.model,
        &again,
        &reusing,
        &NoProgress,
    )
    .unwrap();
    assert!(built.damaged > 0 && built.reused > 0 && (built.reused as usize) < shop.rows.len() + 1);
    assert!(files(&again) == files(&fresh));
}

#[test]
fn an_export_that_changes_nothing_costs_nothing() {
    let shop = Shop::new(120, 3);
    let before = files(&shop.shelf());
    let options = UpdateOptions {
        items: Some(shop.path("items.jsonl")),
        ..UpdateOptions::default()
    };
    let updated = update(&shop.shelf(), None, &options, &NoProgress).unwrap();
    assert_eq!((updated.counts.unchanged, updated.bytes), (120, 0));
    assert_eq!(files(&shop.shelf()), before);
}

#[test]
fn who_has_a_shelf_open_goes_on_and_may_take_the_next() {
    let mut shop = Shop::new(150, 5);
    let old_rows = shop.rows.clone();
    let open = Shelf::open(shop.shelf()).unwrap();
    let next = Shelf::open(shop.shelf()).unwrap();
    shop.step(60);
    assert_answers(&open, &old_rows, &mut shop.random);
    let mut open = open.reopen(shop.shelf()).unwrap();
    assert_answers(&open, &shop.rows, &mut shop.random);
    drop(next);

    // A manifest that is damaged leaves the shelf as it was.
    let mut manifest = fs::read(shop.shelf().join(MANIFEST_NAME)).unwrap();
    let end = manifest.len() - 1;
    manifest[end] ^= 1;
    assert!(open.next(&manifest, |_| Ok(None)).is_err());
    assert_answers(&open, &shop.rows, &mut shop.random);

    // Live news stand above files, wait for nothing, and stay when the shelf is taken anew.
    let (sold, cheap) = (shop.any_id(), "p0001".to_owned());
    let mut rows = shop.rows.clone();
    rows.remove(&sold);
    let mut news = Overlay::default().without(&sold);
    if let Some(row) = rows.get_mut(&cheap) {
        row.price = Some(0.5);
        news = news.with(&cheap, "price", Value::Number(0.5));
    }
    open.overlay(&news).unwrap();
    assert_answers(&open, &rows, &mut shop.random);
    shop.prices();
    let mut open = open.fork().unwrap().reopen(shop.shelf()).unwrap();
    for (id, row) in &shop.rows {
        if let Some(known) = rows.get_mut(id).filter(|known| known.price != Some(0.5)) {
            known.price = row.price;
        }
    }
    assert_answers(&open, &rows, &mut shop.random);
    let wrong = Overlay::default().with("p0002", "price", Value::from("cheap"));
    let error = open.overlay(&wrong).unwrap_err().to_string();
    assert_eq!(
        error,
        "overlay: expected price of p0002 to be of type number, found text"
    );
}

#[test]
fn wrong_updates_are_told_and_leave_the_shelf_as_it_was() {
    let shop = Shop::new(120, 9);
    let shelf = shop.shelf();
    let before = files(&shelf);
    let with = |lines: &str, options: UpdateOptions| shop.with(lines, options);
    let strict = || UpdateOptions {
        strict: true,
        ..UpdateOptions::default()
    };
    for (lines, expected) in [
        (
            "{\"id\":\"p0001\",\"price\":1}\n{\"id\":\"p0001\",\"price\":2}\n",
            "expected a new id, found \"p0001\" again",
        ),
        (
            "{\"id\":\"p0001\",\"price\":\"cheap\"}\n",
            "expected field \"price\" to be a number, found \"cheap\"",
        ),
        (
            "{\"id\":\"new\",\"price\":1}\n",
            "or a field \"title\" for a new one, found id \"new\" alone",
        ),
        (
            "{\"id\":\"p0001\",\"sku\":\"other\"}\n",
            "expected a field \"title\"",
        ),
        ("{\"price\":1}\n", "expected a field \"id\""),
        ("no row\n", "row left out"),
    ] {
        let error = with(lines, strict()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(files(&shelf), before);
    }
}

#[test]
fn what_is_wrong_is_left_out_and_the_rest_is_taken() {
    let shop = Shop::new(120, 10);
    let shelf = shop.shelf();
    let with = |lines: &str, options: UpdateOptions| shop.with(lines, options);
    // Without --strict the rest is taken.
    let both = "{\"id\":\"p0001\",\"price\":\"cheap\",\"in_stock\":true,\"odd\":1}\n{\"id\":\"p0002\",\"price\":77.5}\n";
    let updated = with(both, UpdateOptions::default()).unwrap();
    assert_eq!(updated.report.bad_values, 1);
    assert_eq!(updated.counts.unknown_fields, ["odd"]);
    let open = Shelf::open(&shelf).unwrap();
    let price = |id: &str| {
        open.get(id)
            .unwrap()
            .unwrap()
            .field("price")
            .map(|v| v.to_value())
    };
    assert_eq!(price("p0002"), Some(Value::Number(77.5)));
    assert_eq!(price("p0001"), shop.rows["p0001"].price.map(Value::Number));

    // Ids that are not there.
    fs::write(shop.path("gone.txt"), "nobody\np0003\nnobody\n").unwrap();
    let remove = |strict| UpdateOptions {
        remove: Some(shop.path("gone.txt")),
        strict,
        ..UpdateOptions::default()
    };
    let error = update(&shelf, None, &remove(true), &NoProgress)
        .unwrap_err()
        .to_string();
    assert!(error.contains("1 others, such as \"nobody\""), "{error}");
    let updated = update(&shelf, None, &remove(false), &NoProgress).unwrap();
    assert_eq!(
        (updated.counts.removed, &updated.counts.unknown[..]),
        (1, &["nobody".to_owned()][..])
    );
}

#[test]
fn new_items_take_the_built_in_encoder_where_pages_get_a_smaller_one() {
    let folder = tempfile::tempdir().unwrap();
    let [items, changed, shelf] =
        ["items.jsonl", "changed.jsonl", "shelf"].map(|name| folder.path().join(name));
    let mut random = StdRng::seed_from_u64(5);
    let rows: Rows = (0..60)
        .map(|number| (format!("p{number:04}"), Row::any(&mut random, number)))
        .collect();
    write_rows(&items, rows.iter());
    let new = (&"new".to_owned(), &Row::any(&mut random, 60));
    write_rows(&changed, [new].into_iter());
    let done = |command: &mut Command| {
        let (code, _, error) = outcome(command);
        assert_eq!(code, 0, "{error}");
    };
    let mut build = nearshelf();
    build.args(["build", "--query-bits", "4", "--items"]);
    done(build.arg(&items).arg("--out").arg(&shelf));
    let mut update = nearshelf();
    update.args(["update", "--items"]).arg(&changed);
    done(update.arg(&shelf));
    let shelf = Shelf::open(&shelf).unwrap();
    assert_eq!(shelf.len(), 61);
    let own = new.1.title.split(' ').next_back().unwrap();
    assert_eq!(shelf.search(own, 1).unwrap().hits[0].id, "new");
}

#[test]
fn another_model_no_shelf_and_a_second_writer_are_refused() {
    let shop = Shop::new(120, 12);
    let shelf = shop.shelf();
    let changed = shop.path("changed.jsonl");
    let other = Model::open(&other_model(&shop.path(""))).unwrap();
    let new = "{\"id\":\"new\",\"title\":\"purple umbrella\"}\n";
    fs::write(&changed, new).unwrap();
    let items = || UpdateOptions {
        items: Some(changed.clone()),
        ..UpdateOptions::default()
    };
    let error = update(&shelf, Some(&other), &items(), &NoProgress)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("expected the encoder that the shelf's items were encoded with"),
        "{error}"
    );
    let error = update(&shop.path(""), None, &items(), &NoProgress).unwrap_err();
    assert!(matches!(error, Error::NoShelf { .. }), "{error}");
    let lock = fs::File::options()
        .append(true)
        .create(true)
        .open(shelf.join(".lock"))
        .unwrap();
    lock.lock().unwrap();
    let error = update(&shelf, None, &items(), &NoProgress).unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    lock.unlock().unwrap();
    assert_eq!(
        update(&shelf, None, &items(), &NoProgress)
            .unwrap()
            .counts
            .added,
        1
    );
}

/// A model whose vectors are others: fewer tokens are read.
fn other_model(folder: &Path) -> PathBuf {
    let to = folder.join("other");
    fs::create_dir(&to).unwrap();
    for file in ["model.onnx", "tokenizer.json"] {
        fs::copy(demo_model().path().join(file), to.join(file)).unwrap();
    }
    let config = fs::read_to_string(demo_model().path().join("encoder.json")).unwrap();
    let mut config: Json = serde_json::from_str(&config).unwrap();
    config["max_tokens"] = json!(4);
    fs::write(to.join("encoder.json"), config.to_string()).unwrap();
    to
}

#[test]
fn damage_of_what_updates_wrote_is_found() {
    let mut shop = Shop::new(120, 21);
    shop.step(60);
    let manifest = Shelf::open(shop.shelf()).unwrap().manifest().clone();
    let words = manifest
        .words
        .as_ref()
        .and_then(|words| words.added.as_ref());
    let written = manifest
        .changes
        .iter()
        .chain(&manifest.sources)
        .chain(words);
    for file in written {
        let path = shop.shelf().join(&file.name);
        let whole = fs::read(&path).unwrap();
        for at in [whole.len() / 3, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[at] ^= 4;
            fs::write(&path, damaged).unwrap();
            let (code, _, error) = outcome(nearshelf().arg("verify").arg(shop.shelf()));
            assert_eq!(code, 1, "{}", file.name);
            assert!(error.contains(&file.name), "{error}");
        }
        fs::write(&path, whole).unwrap();
    }
    let (code, ..) = outcome(nearshelf().arg("verify").arg(shop.shelf()));
    assert_eq!(code, 0);
}

#[test]
fn the_last_manifests_keep_their_files() {
    let mut shop = Shop::new(120, 11);
    let first = Shelf::open(shop.shelf()).unwrap().manifest().clone();
    let there = |name: &str| shop_path(&shop, name).exists();
    fn shop_path(shop: &Shop, name: &str) -> PathBuf {
        shop.shelf().join(name)
    }
    assert!(first.all_files().all(|file| there(&file.name)));
    shop.step(40);
    compact(&shop.shelf(), &CompactOptions::default(), &NoProgress).unwrap();
    let second = Shelf::open(shop.shelf()).unwrap().manifest().clone();
    // The update's manifest is still kept, and with it the files of the build.
    assert!(
        first
            .all_files()
            .all(|file| shop_path(&shop, &file.name).exists())
    );
    assert!(
        shop_path(&shop, "shelf-000002.nsm").exists()
            && !shop_path(&shop, "shelf-000001.nsm").exists()
    );
    shop.step(40);
    let old = first.shards.iter().map(|shard| &shard.file.name);
    assert!(old.into_iter().all(|name| !shop_path(&shop, name).exists()));
    assert!(
        second
            .all_files()
            .all(|file| shop_path(&shop, &file.name).exists())
    );
}

#[test]
fn a_killed_update_leaves_the_shelf_as_it_was_or_as_it_is() {
    let kills: usize = std::env::var("NEARSHELF_KILLS").map_or(24, |kills| kills.parse().unwrap());
    let mut shop = Shop::new(200, 13);
    let mut finished = 0;
    for kill in 0..kills {
        let id = format!("new{kill}");
        let rows = [(id.clone(), Row::any(&mut shop.random, 9000 + kill))];
        write_rows(
            &shop.path("changed.jsonl"),
            rows.iter().map(|(id, row)| (id, row)),
        );
        let gone = shop.any_id();
        fs::write(shop.path("gone.txt"), format!("{gone}\n")).unwrap();
        let mut command = nearshelf();
        match kill % 3 {
            2 => command.arg("compact").arg(shop.shelf()),
            _ => command
                .arg("update")
                .arg(shop.shelf())
                .arg("--items")
                .arg(shop.path("changed.jsonl"))
                .arg("--remove")
                .arg(shop.path("gone.txt")),
        };
        let before: BTreeSet<String> = living(&shop.shelf());
        let mut child = command
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let most = if kill % 3 == 2 { 900 } else { 120 };
        std::thread::sleep(Duration::from_millis(shop.random.random_range(0..most)));
        let _ = child.kill();
        child.wait().unwrap();
        let shelf = Shelf::open(shop.shelf()).unwrap();
        shelf.verify().unwrap();
        let mut after = before.clone();
        if kill % 3 != 2 {
            after.insert(id.clone());
            after.remove(&gone);
        }
        let now = living(&shop.shelf());
        assert!(now == before || now == after);
        if now == after && now != before {
            finished += 1;
            shop.rows.remove(&gone);
            let [(id, row)] = rows;
            shop.rows.insert(id, row);
        }
        assert_eq!(shelf.len(), shop.rows.len());
    }
    println!("{finished} of {kills} ended before they were killed");
    let shelf = Shelf::open(shop.shelf()).unwrap();
    assert_answers(&shelf, &shop.rows, &mut shop.random);
}

fn living(shelf: &Path) -> BTreeSet<String> {
    let shelf = Shelf::open(shelf).unwrap();
    shelf.items().map(|(id, ..)| id.to_owned()).collect()
}

#[cfg(unix)]
#[test]
fn a_disk_that_fills_leaves_the_shelf_as_it_was() {
    let shop = Shop::new(150, 17);
    let before = files(&shop.shelf());
    let rows: Rows = demo_items()
        .iter()
        .take(200)
        .enumerate()
        .map(|(number, row)| {
            let mut item = Row::any(&mut StdRng::seed_from_u64(1), number);
            item.title = row["title"].as_str().unwrap().to_owned();
            (format!("n{number}"), item)
        })
        .collect();
    write_rows(&shop.path("changed.jsonl"), rows.iter());
    // No file of more than 64 KiB: the vectors of 200 items are larger.
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\" update \"$1\" --items \"$2\"";
    let mut command = Command::new("bash");
    command.arg("-c").arg(script).arg(nearshelf().get_program());
    command.arg(shop.shelf()).arg(shop.path("changed.jsonl"));
    let (code, _, err) = outcome(&mut command);
    assert_eq!(code, 1, "{err}");
    assert!(
        err.contains("stays as it was") && err.contains("too large"),
        "{err}"
    );
    Shelf::open(shop.shelf()).unwrap().verify().unwrap();
    let now: BTreeMap<_, _> = files(&shop.shelf());
    for (name, bytes) in &before {
        assert!(now.get(name) == Some(bytes), "{name}");
    }
    // The next update collects what was left.
    fs::write(
        shop.path("changed.jsonl"),
        "{\"id\":\"p0001\",\"price\":3}\n",
    )
    .unwrap();
    let options = UpdateOptions {
        items: Some(shop.path("changed.jsonl")),
        keep: 1,
        ..UpdateOptions::default()
    };
    let updated = update(&shop.shelf(), None, &options, &NoProgress).unwrap();
    let named: BTreeSet<String> = updated
        .manifest
        .all_files()
        .map(|f| f.name.clone())
        .chain([MANIFEST_NAME.to_owned()])
        .collect();
    assert_eq!(
        files(&shop.shelf()).into_keys().collect::<BTreeSet<_>>(),
        named
    );
}
