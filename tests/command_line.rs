//! The command line as people and scripts meet it: exit codes, errors, files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{demo, demo_model, nearshelf, outcome, read_npy};

fn run(arguments: &[&str]) -> (i32, String, String) {
    let result = outcome(nearshelf().args(arguments));
    assert!(
        !result.2.contains("panicked"),
        "{arguments:?}: {}",
        result.2
    );
    result
}

fn items(path: &Path, count: usize) {
    let things = [
        "rain jacket",
        "desk lamp",
        "running shoes",
        "coffee mug",
        "wool scarf",
    ];
    let lines: String = (0..count)
        .map(|i| {
            let (thing, price) = (things[i % things.len()], i % 90 + 5);
            format!("{{\"id\":\"p{i}\",\"title\":\"{thing} number {i}\",\"price\":{price}}}\n")
        })
        .collect();
    fs::write(path, lines).unwrap();
}

#[test]
fn the_demo_is_searched_without_anything_set_up() {
    let directory = tempfile::tempdir().unwrap();
    let search = ["search", "something warm for a rainy hike"];
    let (code, out, err) = outcome(nearshelf().current_dir(directory.path()).args(search));
    assert_eq!((code, err.as_str()), (0, ""));
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].contains("score") && lines[0].contains("title") && lines[0].contains("price"));
    assert!(
        lines.len() == 13 && lines[12].contains("tokens encoded in"),
        "{out}"
    );

    let (code, out, _) = run(&["search", "tent", "-k", "3", "--json"]);
    assert_eq!(code, 0);
    let answer: Value = serde_json::from_str(&out).unwrap();
    let hits = answer["hits"].as_array().unwrap();
    assert_eq!(hits.len(), 3);
    assert!(hits[0]["fields"]["price"].is_number() && hits[0]["fields"]["tags"].is_array());
    assert!(
        hits[0]["fields"]["title"]
            .as_str()
            .unwrap()
            .contains("Tent")
    );
}

#[test]
fn it_says_its_name_as_it_is_called() {
    let (code, out, _) = outcome(nearshelf().arg("--version"));
    assert_eq!(code, 0);
    assert!(out.starts_with("nearshelf "), "{out}");
    let (_, _, err) = outcome(nearshelf().arg("search"));
    assert!(err.contains("Usage: nearshelf "), "{err}");
}

#[test]
fn wrong_usage_is_exit_code_2_and_a_failed_job_1() {
    let shelf = demo();
    let shelf = shelf.to_str().unwrap();
    for usage in [
        &["search"][..],
        &["search", shelf],
        &["search", "tent", "-k", "0"],
        &["search", "a", "b", "c"],
        &["search", "tent", "--probe", "0"],
        &["search", shelf, "--queries", "q.jsonl"],
        &["build"],
        &["nonsense"],
        &["export", "--base", "x", "--out", "y", "--precision", "int4"],
    ] {
        assert_eq!(run(usage).0, 2, "{usage:?}");
    }
    for (job, expected) in [
        (
            &["search", "nowhere", "tent"][..],
            "nowhere/shelf.nsm: No such file",
        ),
        (&["inspect", "nowhere"], "nowhere/shelf.nsm"),
        (&["verify", "nowhere"], "nowhere/shelf.nsm"),
        (
            &["export", "--base", "nowhere", "--out", "y"],
            "nowhere/config.json",
        ),
        (
            &[
                "encode",
                "--model",
                "nowhere",
                "--input",
                "Cargo.toml",
                "--out",
                "x.npy",
            ],
            "nowhere",
        ),
        (
            &["eval", shelf, "--queries", "no.jsonl", "--qrels", "no.tsv"],
            "no.jsonl",
        ),
    ] {
        let (code, out, err) = run(job);
        assert_eq!((code, out.as_str()), (1, ""), "{job:?}");
        assert!(
            err.starts_with("error: ") && err.contains(expected),
            "{job:?}: {err}"
        );
    }
}

#[test]
fn odd_queries_are_answered() {
    let (code, out, err) = run(&["search", ""]);
    // Without a word, all items are wanted.
    assert!(code == 0 && err.is_empty(), "{err}");
    assert!(out.contains("\n6,000 items match\n"), "{out}");
    let (code, _, err) = run(&["search", "no/shelf"]);
    assert_eq!(code, 0);
    assert!(err.contains("there is no shelf at \"no/shelf\""), "{err}");
    let (code, out, _) = run(&["search", "tent", "-k", "100000", "--json"]);
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, answer["hits"].as_array().unwrap().len()), (0, 6000));

    // Longer than a command line may be: a file of queries.
    let directory = tempfile::tempdir().unwrap();
    let queries = directory.path().join("queries.jsonl");
    let run_file = directory.path().join("out.trec");
    let long = "warm jacket ".repeat(90_000);
    fs::write(
        &queries,
        format!("{{\"_id\":\"long\",\"text\":\"{long}\"}}\n{{\"_id\":\"b\",\"text\":\"lamp\"}}\n"),
    )
    .unwrap();
    let paths = [&queries, &run_file].map(|p| p.to_str().unwrap());
    let shelf = demo();
    let search = [
        "search",
        shelf.to_str().unwrap(),
        "--queries",
        paths[0],
        "-k",
        "5",
        "--run",
        paths[1],
    ];
    assert_eq!(run(&search).0, 0);
    let lines: Vec<String> = fs::read_to_string(&run_file)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(lines.len(), 10);
    assert!(lines[0].starts_with("b Q0 demo-") && lines[5].starts_with("long Q0 demo-"));

    // A long query on the command line, as long as Linux lets one argument be.
    let (code, _, err) = run(&["search", &"warm jacket ".repeat(10_000)]);
    assert_eq!(code, 0);
    assert!(err.contains("tokens; the first 256 were used"), "{err}");
}

#[cfg(unix)]
#[test]
fn invalid_utf8_is_an_error_and_not_a_crash() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let (code, _, err) = outcome(nearshelf().arg("search").arg(OsStr::from_bytes(b"ca\xff")));
    assert!(code == 2 && !err.contains("panicked"), "{err}");
    let directory = tempfile::tempdir().unwrap();
    let (texts, out) = (
        directory.path().join("t.txt"),
        directory.path().join("v.npy"),
    );
    fs::write(&texts, b"fine\nnot \xff fine\n").unwrap();
    let model = demo_model();
    let model = model.path().to_str().unwrap();
    let paths = [&texts, &out].map(|p| p.to_str().unwrap());
    let (code, _, err) = run(&[
        "encode", "--model", model, "--input", paths[0], "--out", paths[1],
    ]);
    assert!(
        code == 1 && err.contains("t.txt, line 2: expected UTF-8"),
        "{err}"
    );
    assert!(!out.exists());
}

#[test]
fn texts_become_a_matrix() {
    let directory = tempfile::tempdir().unwrap();
    let (texts, out) = (
        directory.path().join("t.txt"),
        directory.path().join("v.npy"),
    );
    fs::write(&texts, "a red lamp\n\na red lamp\r\n").unwrap();
    let model = demo_model();
    let model = model.path().to_str().unwrap();
    let paths = [&texts, &out].map(|p| p.to_str().unwrap());
    assert_eq!(
        run(&[
            "encode", "--model", model, "--input", paths[0], "--out", paths[1]
        ])
        .0,
        0
    );
    let rows = read_npy(&out);
    assert_eq!((rows.len(), rows[0].len()), (3, 384));
    assert!(rows[0] == rows[2] && rows[0] != rows[1]);
    assert!((support::cosine(&rows[0], &rows[0]) - 1.0).abs() < 1e-6);
}

#[test]
fn a_catalog_becomes_a_shelf_that_answers() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    items(Path::new(&path("items.jsonl")), 300);
    let model = demo_model();
    let model = model.path().to_str().unwrap();
    let (catalog, shelf) = (path("items.jsonl"), path("shelf"));
    let build = [
        "build",
        "--items",
        &catalog,
        "--model",
        model,
        "--out",
        &shelf,
        "--shard-size",
        "100",
    ];
    let (code, out, err) = run(&build);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("300 items in 4 shards"), "{out}");
    let (code, out, _) = run(&["search", &shelf, "a lamp for my desk", "-k", "4", "--json"]);
    assert_eq!(code, 0);
    let answer: Value = serde_json::from_str(&out).unwrap();
    for hit in answer["hits"].as_array().unwrap() {
        assert!(
            hit["fields"]["title"]
                .as_str()
                .unwrap()
                .starts_with("desk lamp"),
            "{out}"
        );
    }
    assert_eq!(run(&["verify", &shelf]).0, 0);
    let (_, out, _) = run(&["inspect", &shelf, "--json"]);
    let inspected: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&inspected["items"], &inspected["dims"]),
        (&300.into(), &384.into())
    );

    // Again in its place, and never in the place of anything else.
    assert_eq!(run(&build).0, 0);
    assert_eq!(run(&["verify", &shelf]).0, 0);
    let other = path("other");
    fs::create_dir(&other).unwrap();
    fs::write(path("other/diary.txt"), "mine").unwrap();
    let (code, _, err) = run(&[
        "build", "--items", &catalog, "--model", model, "--out", &other,
    ]);
    assert!(
        code == 1 && err.contains("expected a shelf, an empty directory or nothing"),
        "{err}"
    );
    assert_eq!(fs::read_to_string(path("other/diary.txt")).unwrap(), "mine");
    assert_eq!(leftovers(directory.path()), 0);
}

#[test]
fn a_catalog_needs_no_model_and_takes_that_of_a_shelf() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    items(Path::new(&path("items.jsonl")), 60);
    let build = |out: &str, model: &[&str]| {
        let catalog = path("items.jsonl");
        let arguments = ["build", "--items", &catalog, "--out", out];
        let (code, _, err) = run(&[&arguments[..], model].concat());
        assert_eq!(code, 0, "{err}");
        let mut files: Vec<_> = fs::read_dir(out)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                (
                    path.file_name().unwrap().to_owned(),
                    fs::read(path).unwrap(),
                )
            })
            .collect();
        files.sort();
        files
    };
    let (built_in, shelf) = (path("built-in"), path("of-shelf"));
    let expected = build(&built_in, &[]);
    assert!(build(&shelf, &["--model", &built_in]) == expected);
    // The portable model, of which the network file is made first.
    let model = demo_model();
    fs::remove_file(model.path().join("network.nsn")).unwrap();
    let portable = path("portable");
    assert!(build(&portable, &["--model", model.path().to_str().unwrap()]) == expected);
    let (code, out, _) = run(&["search", &built_in, "a lamp for my desk", "-k", "2"]);
    assert!(code == 0 && out.contains("desk lamp"), "{out}");
}

/// A model whose graph is not to be fused: its weights are run as they are.
fn unrecognised_model() -> tempfile::TempDir {
    let model = demo_model();
    fs::remove_file(model.path().join("network.nsn")).unwrap();
    let config = model.path().join("encoder.json");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("\"int8\"", "\"f32\"")).unwrap();
    model
}

#[test]
fn a_graph_that_is_not_recognised_is_carried_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    items(Path::new(&path("items.jsonl")), 60);
    let (catalog, shelf, model) = (path("items.jsonl"), path("shelf"), unrecognised_model());
    let model = model.path().to_str().unwrap();
    let (code, _, err) = run(&[
        "build", "--items", &catalog, "--model", model, "--out", &shelf,
    ]);
    assert_eq!(code, 0, "{err}");
    let names: Vec<String> = fs::read_dir(&shelf)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for stem in ["encoder-", "model-", "tokenizer-"] {
        assert!(names.iter().any(|name| name.starts_with(stem)), "{names:?}");
    }
    assert_eq!(run(&["verify", &shelf]).0, 0);
    let (code, out, _) = run(&["search", &shelf, "a lamp for my desk", "-k", "2"]);
    assert!(code == 0 && out.contains("desk lamp"), "{out}");
    // It is no network file that another shelf could take.
    let other = path("other");
    let (code, _, err) = run(&[
        "build", "--items", &catalog, "--model", &shelf, "--out", &other,
    ]);
    assert!(code == 1 && err.contains("in ONNX"), "{err}");
}

/// Folders that unfinished builds left beside their place.
fn leftovers(directory: &Path) -> usize {
    let names = fs::read_dir(directory)
        .unwrap()
        .map(|e| e.unwrap().file_name());
    names
        .filter(|n| n.to_string_lossy().starts_with(".nearshelf-"))
        .count()
}

#[test]
fn an_empty_or_bad_catalog_builds_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let model = demo_model();
    let model = model.path().to_str().unwrap();
    fs::write(path("empty.jsonl"), "").unwrap();
    let (catalog, shelf) = (path("empty.jsonl"), path("shelf"));
    let (code, _, err) = run(&[
        "build", "--items", &catalog, "--model", model, "--out", &shelf,
    ]);
    assert!(
        code == 1 && err.contains("expected at least one item, found none among 0 rows"),
        "{err}"
    );
    fs::write(
        path("bad.jsonl"),
        "{\"id\":1,\"title\":\"one\"}\n{\"id\":1,\"title\":\"two\"}\n",
    )
    .unwrap();
    let catalog = path("bad.jsonl");
    let strict = [
        "build", "--items", &catalog, "--model", model, "--out", &shelf, "--strict",
    ];
    let (code, _, err) = run(&strict);
    assert!(code == 1 && err.contains("bad.jsonl, line 2"), "{err}");
    assert!(!Path::new(&shelf).exists());
    let (code, _, err) = run(&strict[..7]);
    assert!(code == 0 && err.contains("1 duplicate ids"), "{err}");
    assert_eq!(leftovers(directory.path()), 0);
}

#[test]
fn a_model_of_other_dimensions_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(demo()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, directory.path().join(path.file_name().unwrap())).unwrap();
    }
    let manifest = fs::read(directory.path().join("shelf.nsm")).unwrap();
    let mut manifest = nearshelf::Manifest::from_bytes("m", &manifest).unwrap();
    manifest.dims = 128;
    for shard in &mut manifest.shards {
        shard.centroid.truncate(128);
    }
    fs::write(directory.path().join("shelf.nsm"), manifest.to_bytes()).unwrap();
    let (code, _, err) = run(&["search", directory.path().to_str().unwrap(), "tent"]);
    assert!(
        code == 1 && err.contains("record, dimensions: expected 128 (by the manifest), found 384"),
        "{err}"
    );
    // Without its shards the shelf opens, and its encoder is refused.
    let shelf = nearshelf::Shelf::from_manifest(&manifest.to_bytes());
    let (mut shelf, file) = (shelf.unwrap(), manifest.encoder.model().clone());
    let bytes = fs::read(directory.path().join(&file.name)).unwrap();
    shelf.attach(&file.name, bytes.into(), true).unwrap();
    let error = shelf.encoder().err().unwrap();
    assert_eq!(error.kind(), nearshelf::ErrorKind::Damaged);
    assert!(
        error
            .to_string()
            .contains("expected vectors of 128 dimensions, as the shelf has, found 384"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn a_killed_build_leaves_no_shelf() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    items(Path::new(&path("items.jsonl")), 3000);
    let model = demo_model();
    let mut build = nearshelf()
        .args([
            "build",
            "--items",
            &path("items.jsonl"),
            "--out",
            &path("shelf"),
            "--model",
        ])
        .arg(model.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // Until it has begun to write, or is done on a very fast machine.
    let start = Instant::now();
    while leftovers(directory.path()) == 0
        && build.try_wait().unwrap().is_none()
        && start.elapsed() < Duration::from_secs(120)
    {
        std::thread::sleep(Duration::from_millis(5));
    }
    let finished = build.try_wait().unwrap().is_some();
    build.kill().unwrap();
    build.wait().unwrap();
    assert!(finished || !Path::new(&path("shelf")).exists());
    // The next build collects what the killed one left; one that lives is left alone.
    let alive = directory.path().join(".nearshelf-build-alive");
    fs::create_dir(&alive).unwrap();
    fs::write(alive.join(".lock"), "locked\n").unwrap();
    let lock = fs::File::open(alive.join(".lock")).unwrap();
    lock.lock().unwrap();
    items(Path::new(&path("few.jsonl")), 20);
    let (few, other) = (path("few.jsonl"), path("other"));
    let small = ["build", "--items", &few, "--out", &other];
    assert_eq!(run(&small).0, 0);
    assert_eq!(leftovers(directory.path()), 1, "the one that is alive");
    drop(lock);
    assert_eq!(run(&small).0, 0);
    assert_eq!(leftovers(directory.path()), 0);
    assert!(!Path::new(&other).join(".lock").exists());
}

#[test]
fn a_killed_build_is_resumed_from_its_vectors() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    items(Path::new(&path("items.jsonl")), 6000);
    let (rows, out, whole) = (path("items.jsonl"), path("shelf"), path("whole"));
    let build = ["build", "--items", &rows, "--seed", "3", "--json", "--out"];
    let in_the_making = || {
        let entries = fs::read_dir(directory.path()).unwrap();
        let mut vectors = entries.map(|e| e.unwrap().path().join("vectors"));
        vectors.find(|path| path.exists())
    };
    let killed = || {
        let mut command = nearshelf();
        let mut build = command
            .args(build)
            .arg(&out)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        // Until some blocks of 1,024 vectors are there.
        let enough = |path: PathBuf| fs::metadata(path).is_ok_and(|about| about.len() > 4 << 20);
        while !in_the_making().is_some_and(enough) && start.elapsed() < Duration::from_secs(120) {
            std::thread::sleep(Duration::from_millis(2));
        }
        build.kill().unwrap();
        build.wait().unwrap();
        in_the_making().unwrap()
    };
    let resumed = |more: &[&str]| {
        let report: Value = serde_json::from_str(&run(&[&build[..], more].concat()).1).unwrap();
        report["resumed"].as_u64().unwrap()
    };
    assert_eq!(resumed(&[&whole]), 0);
    let left = killed();
    assert!(resumed(&[&out, "--resume"]) >= 2048);
    assert!(!left.exists());
    let files = |shelf: &str| -> Vec<(String, Vec<u8>)> {
        let entries = fs::read_dir(shelf).unwrap().map(|e| e.unwrap().path());
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        let mut files: Vec<_> = entries.map(|p| (name(&p), fs::read(&p).unwrap())).collect();
        files.sort();
        files
    };
    assert!(files(&out) == files(&whole), "resumed and from nothing");

    // A damaged block ends what is taken; without the option nothing is.
    let left = killed();
    let mut bytes = fs::read(&left).unwrap();
    bytes[1024 * 384 * 4 + 500] ^= 1;
    fs::write(&left, bytes).unwrap();
    assert_eq!(resumed(&[&out, "--resume"]), 1024);
    assert!(files(&out) == files(&whole), "after damage");
    killed();
    assert_eq!(resumed(&[&out]), 0);
    assert_eq!(leftovers(directory.path()), 0);
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error_with_the_files_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    items(Path::new(&path("items.jsonl")), 50);
    let model = demo_model();
    // A limit on the size of files stands for the disk's: the same call fails in the same way.
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$@\"";
    let nearshelf = nearshelf();
    let (code, _, err) = outcome(
        Command::new("bash")
            .args(["-c", script, "bash"])
            .arg(nearshelf.get_program())
            .args([
                "build",
                "--items",
                &path("items.jsonl"),
                "--out",
                &path("shelf"),
                "--model",
            ])
            .arg(model.path()),
    );
    assert!(
        code == 1
            && err.contains("shelf was not built")
            && err.contains("/vectors: File too large"),
        "{code} {err}"
    );
    assert!(!Path::new(&path("shelf")).exists());
    assert_eq!(leftovers(directory.path()), 0);
}

#[cfg(unix)]
#[test]
fn a_reader_that_stops_early_is_no_error() {
    let nearshelf = nearshelf();
    let script = "set -o pipefail; \"$0\" search tent -k 6000 | head -n 1";
    let (code, out, err) = outcome(
        Command::new("bash")
            .args(["-c", script])
            .arg(nearshelf.get_program()),
    );
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
}

#[test]
fn eval_compares_runs_and_shows_strata() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let shelf = demo();
    let queries: String = ["tent", "mug", "jacket", "lamp", "rug", "boots"]
        .iter()
        .enumerate()
        .map(|(i, text)| {
            let vertical = if i % 2 == 0 { "even" } else { "odd" };
            format!("{{\"_id\": \"{i}\", \"text\": \"{text}\", \"frequency\": {}, \"vertical\": \"{vertical}\"}}\n", 1 + i * i)
        })
        .collect();
    fs::write(path("queries.jsonl"), queries).unwrap();
    // What the shelf itself finds first is taken for relevant.
    let (asked, own) = (path("queries.jsonl"), path("own.trec"));
    let search = ["search", shelf.to_str().unwrap(), "--queries", &asked];
    let (code, _, err) = run(&[&search[..], &["-k", "3", "--run", &own]].concat());
    assert_eq!(code, 0, "{err}");
    let mut qrels = String::from("query-id\tcorpus-id\tscore\n");
    let mut other = String::new();
    for line in fs::read_to_string(path("own.trec")).unwrap().lines() {
        let columns: Vec<&str> = line.split(' ').collect();
        qrels += &format!("{}\t{}\t1\n", columns[0], columns[2]);
        if columns[3] == "3" {
            other += &format!("{line}\n");
        }
    }
    fs::write(path("qrels.tsv"), qrels).unwrap();
    fs::write(path("other.trec"), other).unwrap();
    let eval = [
        "eval",
        shelf.to_str().unwrap(),
        "--queries",
        &path("queries.jsonl"),
        "--qrels",
        &path("qrels.tsv"),
        "--against",
        &path("other.trec"),
    ];
    let (code, out, err) = run(&[&eval[..], &["--json"]].concat());
    assert_eq!(code, 0, "{err}");
    let report: Value = serde_json::from_str(&out).unwrap();
    let comparisons = report["comparisons"].as_array().unwrap();
    let recall = comparisons
        .iter()
        .find(|c| c["metric"] == "recall")
        .unwrap();
    assert!(
        (recall["difference"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-9,
        "{out}"
    );
    // Six differences of one sign: 2 of 64 signings are as extreme.
    assert!(
        (recall["p_permutation"].as_f64().unwrap() - 2.0 / 64.0).abs() < 0.01,
        "{out}"
    );
    let parts = report["parts"].as_object().unwrap();
    assert_eq!(parts["vertical odd"]["queries"], 3);
    assert!(
        parts.contains_key("head") && parts.contains_key("tail"),
        "{out}"
    );
    let (_, out, _) = run(&eval);
    assert!(
        out.contains("nDCG@10: nearshelf +")
            && out.contains("by permutation")
            && out.contains("vertical even"),
        "{out}"
    );

    fs::write(path("other.trec"), "nonsense\n").unwrap();
    let (code, _, err) = run(&eval);
    assert!(
        code == 1 && err.contains("other.trec, line 1: expected query, Q0"),
        "{err}"
    );
}
