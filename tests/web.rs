//! The npm package where people use it: Node, Deno, Bun, workerd, browsers from a static server, bundlers, Next.js.
//! `tests/web` holds what runs there; here is what it is compared with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError, RwLock};

use flate2::Compression;
use flate2::write::GzEncoder;
use nearshelf::{FacetQuery, MANIFEST_NAME, Mode, Query, Recommend, SearchOptions, Shelf};
use nearshelf_build::{CompactOptions, NoProgress, compact};
use serde_json::{Map, Value, json};
use support::history::Shop;
use support::{
    demo, demo_items, demo_model, nearshelf, outcome, random_base, root, set_up, varied_texts,
};

/// Bytes of each module that a page may cost at most, gzipped. Those for ONNX are apart.
const WASM_BUDGET: usize = 575_000;
/// A test that waits for something that does not come ends, and says which it was.
const TIMEOUT: &str = "--test-timeout=300000";
/// Bytes of the package as it is downloaded.
const PACKAGE_BUDGET: u64 = 6_000_000;

/// The shared parts of the tests: the package installed in a project, shelves, and the answers of the command line.
struct Setup {
    package: PathBuf,
    modules: PathBuf,
    node: PathBuf,
    project: PathBuf,
    tarball: PathBuf,
    /// A folder with the demo in `shelf`.
    assets: PathBuf,
    sharded: PathBuf,
    changed: PathBuf,
    expected: PathBuf,
    expected_sharded: PathBuf,
}

fn setup(test: &str) -> Option<&'static Setup> {
    static SETUP: OnceLock<Setup> = OnceLock::new();
    let package = set_up(test, "NEARSHELF_PACKAGE")?;
    let modules = set_up(test, "NEARSHELF_NPM")?;
    let node = set_up(test, "NEARSHELF_NODE")?;
    Some(SETUP.get_or_init(|| prepare(package, modules, node)))
}

/// Installs the package in a project as its users do; its tarball.
fn install(package: &Path, project: &Path) -> PathBuf {
    let npm = |arguments: &[&str]| {
        let (code, out, error) = outcome(Command::new("npm").args(arguments).current_dir(project));
        assert_eq!(code, 0, "npm {arguments:?}: {error}");
        out
    };
    let packed = npm(&["pack", "--json", package.to_str().unwrap()]);
    let packed: Value = serde_json::from_str(&packed).unwrap();
    let about = packed.get(0).or_else(|| packed.get("nearshelf")).unwrap();
    let tarball = project.join(about["filename"].as_str().unwrap());
    fs::write(
        project.join("package.json"),
        r#"{"private":true,"type":"module"}"#,
    )
    .unwrap();
    npm(&[
        "install",
        "--offline",
        "--no-audit",
        "--no-fund",
        tarball.to_str().unwrap(),
    ]);
    tarball
}

fn prepare(package: PathBuf, modules: PathBuf, node: PathBuf) -> Setup {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("web");
    let _ = fs::remove_dir_all(&folder);
    let project = folder.join("project");
    fs::create_dir_all(&project).unwrap();

    let tarball = install(&package, &project);
    for entry in fs::read_dir(root().join("tests/web")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), project.join(entry.file_name())).unwrap();
    }

    let assets = folder.join("assets");
    fs::create_dir_all(assets.join("shelf")).unwrap();
    for entry in fs::read_dir(demo()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), assets.join("shelf").join(entry.file_name())).unwrap();
    }
    let model = demo_model();
    let build = |name: &str, change: &dyn Fn(&mut Vec<Value>)| {
        let mut items = demo_items();
        change(&mut items);
        let lines: String = items.iter().map(|item| format!("{item}\n")).collect();
        let (rows, shelf) = (folder.join(format!("{name}.jsonl")), folder.join(name));
        fs::write(&rows, lines).unwrap();
        let (code, _, error) = outcome(
            nearshelf()
                .args([
                    "build",
                    "--shard-size",
                    "1000",
                    "--query-bits",
                    "4",
                    "--items",
                ])
                .arg(&rows)
                .arg("--model")
                .arg(model.path())
                .arg("--out")
                .arg(&shelf),
        );
        assert_eq!(code, 0, "{error}");
        shelf
    };
    let sharded = build("sharded", &|_| {});
    let changed = build("changed", &|items| items[100]["price"] = json!(1.5));
    let write = |name: &str, shelf: &Path| {
        let path = folder.join(name);
        fs::write(&path, expected(shelf).to_string()).unwrap();
        path
    };
    Setup {
        expected: write("expected.json", &demo()),
        expected_sharded: write("expected-sharded.json", &sharded),
        package,
        modules,
        node,
        project,
        tarball,
        assets,
        sharded,
        changed,
    }
}

/// `[query, [[id, score]]]` as the command line answers, for every golden query.
fn expected(shelf: &Path) -> Value {
    let opened = Shelf::open(shelf).unwrap();
    let ask = |(number, text): (usize, String)| {
        let hits: Vec<(&str, f32)> = answer_of(&opened, &text);
        // The library is what the command line calls; that it adds nothing is seen on some.
        if number.is_multiple_of(10) {
            let mut command = nearshelf();
            command
                .arg("search")
                .arg(shelf)
                .args(["--json", "-k", "10", "--", &text]);
            let (code, out, error) = outcome(&mut command);
            assert_eq!(code, 0, "{error}");
            let answer: Value = serde_json::from_str(&out).unwrap();
            let answered: Vec<(&str, f32)> = answer["hits"]
                .as_array()
                .unwrap()
                .iter()
                .map(|hit| {
                    (
                        hit["id"].as_str().unwrap(),
                        hit["score"].as_f64().unwrap() as f32,
                    )
                })
                .collect();
            assert_eq!(answered, hits, "{text}");
        }
        json!([text, hits])
    };
    let queries = varied_texts().into_iter().enumerate().map(ask);
    queries.chain(shop(&opened)).collect()
}

/// A call of a shop's page: here, and in JavaScript its method and options.
type Call<'a> = (Query<'a>, &'static str, Value, SearchOptions);

/// `[query, { hits, variants, matches, facets }, [method, options]]`: calls of a shop's page, and what they are answered.
fn shop(shelf: &Shelf) -> Vec<Value> {
    let hits = shelf.search("rain jacket", 4).unwrap().hits;
    let ids: Vec<&str> = hits.iter().map(|hit| hit.id).collect();
    let recommend = Recommend {
        like: &ids[..2],
        unlike: &ids[2..3],
        text: Some("something blue"),
        ..Default::default()
    };
    let recommended = (
        Query::Recommend(recommend),
        "recommend",
        json!({ "k": 6, "like": ids[..2], "unlike": ids[2..3], "text": "something blue", "facets": ["category"] }),
        SearchOptions {
            facets: vec!["category".parse().unwrap()],
            ..of(6)
        },
    );
    let calls = searches(&ids).into_iter().chain([recommended]);
    calls.map(|call| answered(shelf, call)).collect()
}

fn of(k: usize) -> SearchOptions {
    SearchOptions {
        k,
        ..Default::default()
    }
}

fn searches<'a>(ids: &[&'a str]) -> [Call<'a>; 4] {
    let mut prices: FacetQuery = "price:histogram:6".parse().unwrap();
    prices.ranges = vec![(Some(0.0), Some(20.0)), (Some(20.0), None)];
    [
        (
            Query::Text("rain jacket"),
            "search",
            json!({ "k": 10, "where": { "price": { "lt": 90 } }, "sort": "price:asc", "facets": { "brand": { "limit": 5 }, "price": { "histogram": 6, "ranges": [[0, 20], [20]] } } }),
            SearchOptions {
                filter: Some("price < 90".parse().unwrap()),
                sort: vec!["price:asc".parse().unwrap()],
                facets: vec!["brand:5".parse().unwrap(), prices],
                ..of(10)
            },
        ),
        (
            Query::Text(""),
            "search",
            json!({ "k": 7, "offset": 7, "distinct": "brand", "boosts": { "in_stock": 0.5, "price": { "weight": -0.25, "pivot": 50 } } }),
            SearchOptions {
                offset: 7,
                distinct: Some("brand".to_owned()),
                boosts: ["in_stock:0.5", "price:-0.25:50"]
                    .map(|boost| boost.parse().unwrap())
                    .to_vec(),
                ..of(7)
            },
        ),
        (
            Query::Text("kettle"),
            "search",
            json!({ "k": 6, "mode": "words", "pin": [ids[3]], "hide": [ids[0]], "facets": ["category", "in_stock", "tags"] }),
            SearchOptions {
                mode: Mode::Words,
                pin: vec![ids[3].to_owned()],
                hide: vec![ids[0].to_owned()],
                facets: ["category", "in_stock", "tags"]
                    .map(|facet| facet.parse().unwrap())
                    .to_vec(),
                ..of(6)
            },
        ),
        (
            Query::Similar(ids[0]),
            "similar",
            json!({ "k": 5, "diversity": 0.25, "distinct": "brand" }),
            SearchOptions {
                diversity: 0.25,
                distinct: Some("brand".to_owned()),
                ..of(5)
            },
        ),
    ]
}

fn answered(shelf: &Shelf, (query, method, asked, options): Call<'_>) -> Value {
    let answer = shelf.search_with(query, &options).unwrap();
    let facets = answer.facets.iter().map(|facet| {
        let mut counts = json!(facet);
        counts.as_object_mut().unwrap().remove("field");
        (facet.field.clone(), counts)
    });
    let wanted = json!({
        "hits": answer.hits.iter().map(|hit| (hit.id, hit.score)).collect::<Vec<_>>(),
        "variants": answer.hits.iter().map(|hit| hit.variants).collect::<Vec<_>>(),
        "matches": answer.matches.map(|m| json!({ "count": m.count, "exact": m.exact })),
        "facets": facets.collect::<Map<_, _>>(),
    });
    let said = match query {
        Query::Text(said) | Query::Similar(said) => said,
        _ => "",
    };
    json!([said, wanted, [method, asked]])
}

fn answer_of<'a>(shelf: &'a Shelf, text: &str) -> Vec<(&'a str, f32)> {
    let answer = shelf.search(text, 10).unwrap();
    answer.hits.iter().map(|hit| (hit.id, hit.score)).collect()
}

/// Held by what measures memory alone, and shared by all else: a collector of garbage that gets no time lets it grow.
static QUIET: RwLock<()> = RwLock::new(());

/// Runs a program in the project and gives what it printed.
fn run(setup: &Setup, command: &mut Command) -> String {
    let _others = QUIET.read().unwrap_or_else(PoisonError::into_inner);
    printed(setup, command)
}

/// The same while no other program of these tests runs.
fn run_alone(setup: &Setup, command: &mut Command) -> String {
    let _none = QUIET.write().unwrap_or_else(PoisonError::into_inner);
    printed(setup, command)
}

fn printed(setup: &Setup, command: &mut Command) -> String {
    command
        .current_dir(&setup.project)
        .env("PROJECT", &setup.project)
        .env("SHELF", setup.assets.join("shelf"))
        .env("SHARDED", &setup.sharded)
        .env("CHANGED", &setup.changed)
        .env("EXPECTED", &setup.expected)
        .env("EXPECTED_SHARDED", &setup.expected_sharded);
    let (code, out, error) = outcome(command);
    assert_eq!(code, 0, "{command:?}\n{out}\n{error}");
    print!("{out}");
    out
}

/// Runs a file of tests that need Chromium, where it is there; `more` makes ready what they need besides.
fn in_chromium(test: &str, file: &str, more: impl FnOnce(&Setup, &mut Command)) {
    let Some(setup) = setup(test) else { return };
    if chromium(test) {
        let mut node = Command::new(&setup.node);
        node.args(["--test", TIMEOUT, file]);
        more(setup, &mut node);
        run(setup, &mut node);
    }
}

/// Chromium, which only a system has.
fn chromium(test: &str) -> bool {
    let places = [
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
    ];
    let there =
        std::env::var_os("CHROMIUM").is_some() || places.iter().any(|p| Path::new(p).is_file());
    if !there {
        println!("skipped: {test}: there is no Chromium on this machine (CHROMIUM names one)");
    }
    there
}

fn program(setup: &Setup, candidates: &[&str]) -> Option<PathBuf> {
    candidates
        .iter()
        .map(|path| setup.modules.join(path))
        .find(|path| path.is_file())
}

#[test]
fn runtimes_answer_as_the_command_line_does() {
    let test = "the npm package in Node, Deno and Bun";
    let Some(setup) = setup(test) else { return };
    let script = |command: &mut Command| {
        command
            .arg("runtime.mjs")
            .arg(setup.assets.join("shelf"))
            .arg(&setup.expected);
        let out = run(setup, command);
        assert!(out.contains("205 queries agree"), "{out}");
    };
    // The machine's own, 20 or newer, and the newest that set-up fetched.
    script(&mut Command::new("node"));
    script(&mut Command::new(&setup.node));
    let deno = [
        "@deno/linux-x64-glibc/deno",
        "@deno/linux-arm64-glibc/deno",
        "@deno/darwin-arm64/deno",
    ];
    match program(setup, &deno) {
        Some(deno) => script(Command::new(deno).args([
            "run",
            "--allow-read",
            "--node-modules-dir=manual",
            "--cached-only",
        ])),
        None => println!("skipped: Deno: npm installed none for this machine"),
    }
    match program(setup, &["bun/bin/bun.exe", "bun/bin/bun"]) {
        Some(bun) => script(&mut Command::new(bun)),
        None => println!("skipped: Bun: npm installed none for this machine"),
    }
}

/// The folder of a shelf day by day, each day's beside what native code answers; the number of the last day.
fn days(setup: &Setup) -> (PathBuf, usize) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("web/days");
    let rows = demo_items();
    let copy = |from: &Path, day: usize| {
        let to = folder.join(day.to_string());
        fs::create_dir_all(&to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
        to
    };
    let done = |command: &mut Command| {
        let (code, _, error) = outcome(command);
        assert_eq!(code, 0, "{error}");
    };
    let answers = |day: usize| {
        let shelf = Shelf::open(folder.join(day.to_string())).unwrap();
        let manifest = shelf.manifest();
        let words = manifest
            .words
            .as_ref()
            .and_then(|words| words.added.as_ref());
        let about = json!([null, {
            "items": shelf.len(),
            "changes": manifest.changes.last().map(|file| &file.name),
            "words": words.map(|file| &file.name),
        }]);
        let mut all = vec![about];
        let queries = varied_texts().into_iter().step_by(9);
        all.extend(queries.map(|text| json!([text, answer_of(&shelf, &text)])));
        all.extend(shop(&shelf));
        fs::write(folder.join(format!("{day}.json")), json!(all).to_string()).unwrap();
    };
    // Queries have weights of 4 bits there, items have not.
    let model = demo_model();
    copy(&setup.sharded, 0);
    answers(0);
    let last = 4;
    for day in 1..=last {
        let shelf = copy(&folder.join((day - 1).to_string()), day);
        let at = |number: usize| rows[(number * 37 + day * 1009) % rows.len()].clone();
        let prices = (0..60).map(|n| json!({ "id": at(n)["id"], "price": n as f64 + 0.5 }));
        let texts = (60..90).map(|n| {
            let mut row = at(n);
            row["title"] = json!(format!(
                "{} zz{day}q{n}",
                at(n + 40)["title"].as_str().unwrap()
            ));
            // Some are new, some are known with another text.
            if n % 2 == 0 {
                row["id"] = json!(format!("new-{day}-{n}"));
            }
            row
        });
        let lines: String = prices.chain(texts).map(|row| format!("{row}\n")).collect();
        let gone: String = (100..130)
            .map(|n| format!("{}\n", at(n)["id"].as_str().unwrap()))
            .collect();
        let [changed, removed] = ["changed.jsonl", "gone.txt"].map(|name| folder.join(name));
        fs::write(&changed, lines).unwrap();
        fs::write(&removed, gone).unwrap();
        let mut update = nearshelf();
        update
            .arg("update")
            .arg(&shelf)
            .arg("--model")
            .arg(model.path())
            .arg("--items")
            .arg(&changed);
        done(update.arg("--remove").arg(&removed).args(["--keep", "1"]));
        if day == last {
            done(nearshelf().arg("compact").arg(&shelf).args(["--keep", "1"]));
        }
        answers(day);
    }
    (folder, last)
}

#[test]
fn a_shelf_is_updated_under_an_open_page() {
    let Some(setup) = setup("the npm package with a shelf that is updated") else {
        return;
    };
    let (folder, last) = days(setup);
    let script = |command: &mut Command| {
        let out = run(
            setup,
            command
                .arg("updates.mjs")
                .arg(&folder)
                .arg(last.to_string()),
        );
        assert!(out.contains(&format!("{last} days")), "{out}");
    };
    script(&mut Command::new(&setup.node));
    if let Some(bun) = program(setup, &["bun/bin/bun.exe", "bun/bin/bun"]) {
        script(&mut Command::new(bun));
    }
}

/// The folder of a random history: the files of all its rounds, and of each the manifest and the map of what is alive.
fn history(rounds: usize) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("web/history");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let mut shop = Shop::new(300, 21);
    for round in 0..=rounds {
        if round > 0 {
            shop.step(50);
        }
        if round == 25 {
            compact(&shop.shelf(), &CompactOptions::default(), &NoProgress).unwrap();
        }
        for entry in fs::read_dir(shop.shelf()).unwrap() {
            let entry = entry.unwrap();
            let name = match entry.file_name().into_string().unwrap() {
                name if name == MANIFEST_NAME => format!("{round}.nsm"),
                name => name,
            };
            // Names of all but manifests say what is in the files.
            let to = folder.join(name);
            if !to.exists() {
                fs::copy(entry.path(), to).unwrap();
            }
        }
        let rows = shop.rows.iter().map(|(id, row)| (id.clone(), row.json(id)));
        let map: Map<String, Value> = rows.collect();
        let map = Value::Object(map).to_string();
        fs::write(folder.join(format!("{round}.json")), map).unwrap();
    }
    folder
}

#[test]
fn a_random_history_is_what_a_plain_map_says_in_the_module() {
    let Some(setup) = setup("a random history in the module") else {
        return;
    };
    let rounds = 40;
    let mut node = Command::new(&setup.node);
    node.arg("history.mjs").arg(history(rounds));
    node.args([&rounds.to_string(), "7"]);
    let out = run(setup, &mut node);
    assert!(out.contains("40 updates and 1000 news agree"), "{out}");
}

#[test]
fn workerd_answers_as_the_command_line_does() {
    let Some(setup) = setup("the npm package in workerd") else {
        return;
    };
    let mut node = Command::new(&setup.node);
    node.arg("workerd.mjs").args([
        &setup.project,
        &setup.assets,
        &setup.expected,
        &setup.modules,
    ]);
    let out = run_alone(setup, &mut node);
    assert!(out.contains("relaxed-simd: 205 queries agree"), "{out}");
    let peak = out
        .lines()
        .find_map(|line| line.strip_prefix("isolate peak "))
        .unwrap();
    let peak: f64 = peak.split(' ').next().unwrap().parse().unwrap();
    assert!(peak <= 35.0, "{peak} MB in workerd");
}

#[test]
fn chromium_loads_searches_and_fails_as_documented() {
    in_chromium(
        "the npm package in Chromium",
        "chromium.test.mjs",
        |_, _| (),
    );
}

#[test]
fn chromium_bears_what_the_real_web_does() {
    in_chromium(
        "the npm package in Chromium, with faults",
        "faults.test.mjs",
        |_, _| (),
    );
}

#[test]
fn words_answer_before_the_encoder_is_here() {
    in_chromium(
        "stages of the npm package in Chromium",
        "stages.test.mjs",
        |_, _| (),
    );
}

#[test]
fn a_host_that_follows_the_page_serves_shelves_well() {
    let test = "the npm package on the host of web/HOSTING.md";
    in_chromium(test, "hosting.test.mjs", |_, _| ());
}

#[test]
fn a_graph_in_onnx_is_answered_by_the_second_module() {
    let Some(setup) = setup("the npm package with an encoder in ONNX") else {
        return;
    };
    let folder = setup.assets.with_file_name("onnx");
    fs::create_dir_all(&folder).unwrap();
    // f32 throughout: where activations are rounded, as in INT8, a last bit that differs becomes a step of the rounding.
    let (base, model) = (random_base(&folder, 1.0), folder.join("model"));
    let mut export = nearshelf();
    export.args(["export", "--precision", "f32", "--base"]);
    let (code, _, error) = outcome(export.arg(&base).arg("--out").arg(&model));
    assert_eq!(code, 0, "{error}");
    assert!(!model.join("network.nsn").exists(), "a recognised graph");
    let (rows, shelf) = (folder.join("items.jsonl"), folder.join("shelf"));
    let items = demo_items();
    let lines: String = items[..200].iter().map(|i| format!("{i}\n")).collect();
    fs::write(&rows, lines).unwrap();
    let mut build = nearshelf();
    build.args(["build", "--items"]).arg(&rows);
    build.arg("--model").arg(&model);
    let (code, _, error) = outcome(build.arg("--out").arg(&shelf));
    assert_eq!(code, 0, "{error}");
    let native = Shelf::open(&shelf).unwrap();
    let answers: Vec<Value> = ["rain jacket", "a lamp for the desk", "boots"]
        .map(|text| json!([text, answer_of(&native, text)]))
        .into();
    let expected = folder.join("expected.json");
    fs::write(&expected, json!(answers).to_string()).unwrap();
    for node in [Path::new("node"), &setup.node] {
        let mut command = Command::new(node);
        command.arg("onnx.mjs").args([&shelf, &expected]);
        let out = run(setup, &mut command);
        assert!(out.contains("3 queries agree"), "{out}");
    }
}

#[test]
fn bundlers_take_the_package_as_it_is() {
    let test = "the npm package in Vite, webpack and a page without a bundler";
    in_chromium(test, "bundlers.test.mjs", |_, _| ());
}

#[test]
fn next_answers_on_the_server_and_in_the_page() {
    let Some(setup) = setup("the npm package in Next.js") else {
        return;
    };
    let mut node = Command::new(&setup.node);
    // Built by the newest, and started by the machine's own as well, 20 or newer.
    let nodes = format!("{}:node", setup.node.display());
    node.args(["--test", TIMEOUT, "next.test.mjs"])
        .env("NODES", nodes);
    run(setup, &mut node);
}

#[test]
fn firefox_and_webkit_answer_as_chromium_does() {
    let Some(setup) = setup("the npm package in Firefox and WebKitGTK") else {
        return;
    };
    let mut node = Command::new(&setup.node);
    node.args(["--test", TIMEOUT, "engines.test.mjs"]);
    run(setup, node.env("SITE", site(setup)));
}

#[test]
fn the_demo_page_is_usable() {
    in_chromium("the demo page", "demo.test.mjs", |setup, node| {
        node.env("SITE", site(setup));
    });
}

/// The demo page with the package and the shelf beside it, as a server has them.
fn site(setup: &Setup) -> PathBuf {
    static COPIED: Mutex<()> = Mutex::new(());
    let _one = COPIED.lock().unwrap();
    let site = setup.assets.with_file_name("site");
    let copy = |from: &Path, to: &Path| {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
    };
    copy(&root().join("web/demo"), &site);
    for folder in ["src", "wasm", "wasm/onnx"] {
        let from = setup.package.join(folder);
        copy(&from, &site.join("package").join(folder));
    }
    copy(&demo(), &site.join("shelf"));
    site
}

#[test]
fn filters_are_objects_or_text() {
    let Some(setup) = setup("filters of the npm package") else {
        return;
    };
    let mut node = Command::new(&setup.node);
    node.args(["--test", TIMEOUT, "where.test.mjs"]);
    run(setup, node.env("NEARSHELF_PACKAGE", &setup.package));
}

#[test]
fn types_and_code_agree() {
    let Some(setup) = setup("the npm package's types") else {
        return;
    };
    let config = json!({
        "extends": "./tsconfig.json",
        "compilerOptions": { "types": ["node"], "typeRoots": [setup.modules.join("@types")] },
        "include": ["types.ts", "node_modules/nearshelf/src"],
    });
    fs::write(
        setup.project.join("tsconfig.check.json"),
        config.to_string(),
    )
    .unwrap();
    // As a careful user compiles: nothing newer than es2022, and the package's declarations are checked too.
    let careful = json!({
        "compilerOptions": {
            "strict": true, "noEmit": true, "skipLibCheck": false, "target": "es2022", "module": "esnext",
            "moduleResolution": "bundler", "lib": ["es2022", "dom", "dom.iterable"], "types": [],
        },
        "include": ["types.ts"],
    });
    let careful_file = setup.project.join("tsconfig.careful.json");
    fs::write(careful_file, careful.to_string()).unwrap();
    for file in ["tsconfig.check.json", "tsconfig.careful.json"] {
        let mut tsc = Command::new(&setup.node);
        tsc.arg(setup.modules.join("typescript/bin/tsc"));
        run(setup, tsc.args(["-p", file]));
    }
}

#[test]
fn the_package_holds_what_it_should_and_no_more() {
    let Some(setup) = setup("what the npm package holds") else {
        return;
    };
    let mut found = Vec::new();
    for folder in ["", "src", "wasm", "wasm/onnx"] {
        for entry in
            fs::read_dir(setup.project.join("node_modules/nearshelf").join(folder)).unwrap()
        {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                found.push(format!("{folder}/{}", entry.file_name().to_str().unwrap()));
            }
        }
    }
    found.sort();
    let expected = [
        "/HOSTING.md",
        "/LICENSE-APACHE",
        "/LICENSE-MIT",
        "/README.md",
        "/package.json",
        "src/ahead.js",
        "src/api.js",
        "src/download.js",
        "src/edge.js",
        "src/errors.js",
        "src/failure.js",
        "src/front.js",
        "src/hits.js",
        "src/imported.js",
        "src/index.d.ts",
        "src/index.js",
        "src/locate.js",
        "src/node.js",
        "src/onnx.js",
        "src/options.js",
        "src/page.js",
        "src/progress.js",
        "src/remote.js",
        "src/shelf.js",
        "src/source.js",
        "src/state.js",
        "src/store.js",
        "src/turns.js",
        "src/wasm.js",
        "src/where.js",
        "src/worker.d.ts",
        "src/worker.js",
        "src/workerd.js",
        "wasm/modules.d.ts",
        "wasm/modules.js",
        "wasm/nearshelf.d.ts",
        "wasm/nearshelf.js",
        "wasm/onnx/nearshelf.d.ts",
        "wasm/onnx/nearshelf.js",
        "wasm/onnx/simd128.wasm",
        "wasm/relaxed-simd.wasm",
        "wasm/simd128.wasm",
    ];
    assert_eq!(found, expected);
    let bytes = fs::metadata(&setup.tarball).unwrap().len();
    println!("the package: {bytes} bytes");
    assert!(bytes <= PACKAGE_BUDGET, "{bytes} bytes to download");
    for name in ["simd128", "relaxed-simd"] {
        let wasm = fs::read(setup.package.join("wasm").join(format!("{name}.wasm"))).unwrap();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        std::io::Write::write_all(&mut gzip, &wasm).unwrap();
        let gzipped = gzip.finish().unwrap().len();
        println!("{name}.wasm: {} bytes, {gzipped} gzipped", wasm.len());
        assert!(
            gzipped <= WASM_BUDGET,
            "{name}.wasm: {gzipped} bytes gzipped"
        );
    }
}
