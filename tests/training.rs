//! Training from the command line, on a small encoder of random weights: what a run leaves behind, and
//! what becomes of one that is killed, misled or out of room.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nearshelf::{SearchOptions, Shelf};
use nearshelf_build::{BuildOptions, Model, NoProgress, build};
use serde_json::{Value, json};
use support::{nearshelf, outcome, random_base};

const COLOURS: [&str; 5] = ["red", "blue", "green", "black", "white"];
const THINGS: [&str; 8] = [
    "tent", "mug", "jacket", "lamp", "chair", "kettle", "boots", "rug",
];

/// Queries with items that fit, fit in part, and do not.
fn judged(dir: &Path) {
    let mut lines = String::new();
    for (i, thing) in THINGS.iter().enumerate() {
        for (j, colour) in COLOURS.iter().enumerate() {
            let other = THINGS[(i + 3) % THINGS.len()];
            let another = COLOURS[(j + 2) % COLOURS.len()];
            for (item, grade) in [
                (format!("{thing} in {colour} for every day"), 3),
                (format!("{another} {thing}"), 2),
                (format!("{colour} {other}"), 1),
            ] {
                let row = json!({
                    "query": format!("{colour} {thing}"), "item": item, "grade": grade,
                    "vertical": if i % 2 == 0 { "outdoor" } else { "home" }, "weight": 1 + (i * j) % 5,
                });
                lines += &format!("{row}\n");
            }
        }
    }
    fs::write(dir.join("judged.jsonl"), lines).unwrap();
}

const RECIPE: &str = r#"
title = "Small"
about = "A recipe with <every> kind of stage & a split."
seed = 3
max_tokens = { query = 12, item = 24 }
int8_keeps = 0.5

[data.judged]
format = "canonical"
path = "judged.jsonl"
positive = 3
split = { by = "query", dev = 0.2 }

[[stage]]
name = "contrastive"
data = ["judged"]
steps = 20
batch = 8
chunk = 6
learning_rate = 1e-3
measure_every = 5
hard_negatives = { count = 2, depth = 12 }
loss = { kind = "mnrl", false_negatives = { margin = -0.3, duplicate = 0.99 } }

[[stage]]
name = "graded"
data = ["judged"]
steps = 15
batch = 4
items = 3
accumulate = 2
learning_rate = 1e-3
loss = { kind = "roar", contrastive = 0.5, margin = 0.1 }

[[eval]]
name = "judged"
format = "canonical"
path = "judged.jsonl"
rerank = { items = 3, grades = 2 }
grade_from = 1
relevant = 1
metric = "ndcg@10"
"#;

/// A folder with base, data and recipe.
fn workshop() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    random_base(dir.path(), 1.0);
    judged(dir.path());
    fs::write(dir.path().join("recipe.toml"), RECIPE).unwrap();
    dir
}

fn train(dir: &Path, out: &str, more: &[&str]) -> Command {
    let mut command = nearshelf();
    command
        .arg("train")
        .args(["--checkpoint-every", "4"])
        .args(more);
    command.arg("--recipe").arg(dir.join("recipe.toml"));
    command.arg("--base").arg(dir.join("base"));
    command
        .arg("--data")
        .arg(dir)
        .arg("--out")
        .arg(dir.join(out));
    command
}

/// The results of a training: the weights after each stage, and the metrics without what clocks say.
fn made(dir: &Path, out: &str) -> (Vec<Vec<u8>>, Vec<Value>) {
    let training = dir.join(out).join("training");
    let weights = ["contrastive", "graded"]
        .map(|stage| fs::read(training.join(format!("stage-{stage}/model.safetensors"))).unwrap());
    let metrics = fs::read_to_string(training.join("metrics.jsonl")).unwrap();
    let metrics = metrics.lines().map(|line| {
        let mut record: Value = serde_json::from_str(line).unwrap();
        record.as_object_mut().unwrap().remove("seconds");
        record
    });
    (weights.into(), metrics.collect())
}

/// The systems of the first eval, and that training and its comparisons are sound.
fn check_report(report: &Value) {
    let systems = report["evals"][0]["systems"].as_array().unwrap();
    let names: Vec<&str> = systems
        .iter()
        .map(|s| s["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "BM25",
            "base",
            "contrastive",
            "graded",
            "INT8",
            "INT8, query tower"
        ]
    );
    let value = |name: &str| {
        let at = names.iter().position(|n| *n == name).unwrap();
        systems[at]["value"].as_f64().unwrap()
    };
    assert!(
        value("graded") > value("base"),
        "{} {}",
        value("graded"),
        value("base")
    );
    for part in ["strata", "verticals"] {
        let parts = systems[3][part].as_object().unwrap();
        let queries: u64 = parts.values().map(|p| p[0].as_u64().unwrap()).sum();
        assert_eq!((parts.len() > 1, queries), (true, 40), "{part}");
    }
    let p = &systems[3]["against"]["base"]["p_permutation"];
    assert!((0.0..=1.0).contains(&p.as_f64().unwrap()));
}

/// That the report needs nothing else, and that the data's account says what was held out.
fn check_files(model: &Path) {
    let html = fs::read_to_string(model.join("report.html")).unwrap();
    assert!(html.contains("<polyline") && html.contains("&lt;every&gt; kind"));
    for outside in ["http:", "https:", "src=", "<script", "NaN"] {
        assert!(!html.contains(outside), "{outside}");
    }
    let split: Value =
        serde_json::from_slice(&fs::read(model.join("training/data.json")).unwrap()).unwrap();
    assert_eq!(split["splits"]["judged"]["dev"], 0.2);
    assert!(split["data"]["judged"]["held_out"].as_u64().unwrap() > 0);
}

/// That both towers of a model find the same in a shelf of its own.
fn check_shelf(dir: &Path) {
    fs::write(
        dir.join("items.jsonl"),
        THINGS
            .iter()
            .map(|t| format!("{{\"id\": \"{t}\", \"title\": \"{t}\"}}\n"))
            .collect::<String>(),
    )
    .unwrap();
    let shelf = dir.join("shelf");
    let (items, model) = (dir.join("items.jsonl"), dir.join("model"));
    build(
        &items,
        &Model::open(&model).unwrap(),
        &shelf,
        &BuildOptions::default(),
        &NoProgress,
    )
    .unwrap();
    let shelf = Shelf::open(&shelf).unwrap();
    let small = nearshelf::Encoder::open(&model.join("query")).unwrap();
    let query = small.encode("red mug").unwrap().vector;
    let answer = shelf.search("red mug", 3).unwrap();
    let by_vector = shelf
        .search_vector(
            &query,
            &SearchOptions {
                k: 3,
                ..Default::default()
            },
        )
        .unwrap();
    let ids =
        |hits: &[nearshelf::Hit<'_>]| hits.iter().map(|h| h.id.to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(&answer.hits), ids(&by_vector.hits));
}

#[test]
fn a_run_makes_a_model_that_builds_a_shelf_and_a_report_that_stands_alone() {
    let dir = workshop();
    let flags = ["--query-tower", "layers=1,vocab=400", "--json"];
    let (code, out, err) = outcome(&mut train(dir.path(), "model", &flags));
    assert_eq!(code, 0, "{err}");
    let report: Value = serde_json::from_str(&out).unwrap();
    check_report(&report);
    check_files(&dir.path().join("model"));
    check_shelf(dir.path());
}

#[test]
fn a_killed_run_goes_on_to_the_same_bits_on_any_number_of_threads() {
    let dir = workshop();
    let (code, _, err) = outcome(&mut train(dir.path(), "whole", &["--threads", "2"]));
    assert_eq!(code, 0, "{err}");
    let expected = made(dir.path(), "whole");
    assert_eq!(
        expected
            .1
            .iter()
            .filter(|r| r.get("loss").is_some())
            .count(),
        35
    );

    let metrics = dir.path().join("killed/training/metrics.jsonl");
    let lines = || fs::read_to_string(&metrics).map_or(0, |text| text.lines().count());
    for (attempt, until) in [(0, 7), (1, 18), (2, 30)] {
        let more: &[&str] = if attempt == 0 { &[] } else { &["--resume"] };
        let mut command = train(dir.path(), "killed", &[&["--threads", "1"], more].concat());
        let mut child = command
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while lines() < until && child.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < Duration::from_secs(120));
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = child.kill();
        let _ = child.wait();
    }
    let (code, _, err) = outcome(&mut train(dir.path(), "killed", &["--resume"]));
    assert_eq!(code, 0, "{err}");
    let found = made(dir.path(), "killed");
    assert_eq!(found.1, expected.1);
    assert!(found.0 == expected.0, "the weights differ");
}

#[test]
fn checkpoints_of_others_are_refused_and_stay() {
    let dir = workshop();
    let (code, _, err) = outcome(&mut train(dir.path(), "model", &[]));
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = outcome(&mut train(dir.path(), "model", &[]));
    assert_eq!(code, 1);
    assert!(err.contains("to be told to resume"), "{err}");
    fs::write(
        dir.path().join("recipe.toml"),
        RECIPE.replace("seed = 3", "seed = 4"),
    )
    .unwrap();
    let (code, _, err) = outcome(&mut train(dir.path(), "model", &["--resume"]));
    assert_eq!(code, 1);
    assert!(err.contains("one of this recipe and base model"), "{err}");
    assert!(dir.path().join("model/training/last/state.json").is_file());
    fs::write(dir.path().join("recipe.toml"), RECIPE).unwrap();
    fs::write(
        dir.path().join("model/training/last/tensors.safetensors"),
        "short",
    )
    .unwrap();
    let (code, _, err) = outcome(&mut train(dir.path(), "model", &["--resume"]));
    assert_eq!(code, 1);
    assert!(
        err.contains("tensors.safetensors: expected tensors"),
        "{err}"
    );
}

#[test]
fn a_loss_that_is_not_finite_stops_the_run_and_keeps_the_checkpoint() {
    let dir = workshop();
    random_base(dir.path(), 1e36);
    let (code, _, err) = outcome(&mut train(dir.path(), "model", &[]));
    assert_eq!(code, 1);
    assert!(
        err.contains("stage contrastive, step 1: the loss is NaN"),
        "{err}"
    );
    assert!(dir.path().join("model/training/last/state.json").is_file());
    assert!(!dir.path().join("model/encoder.json").exists());
}

#[test]
#[cfg(unix)]
fn a_disk_without_room_is_an_error_and_the_last_checkpoint_stays() {
    let dir = workshop();
    let program = nearshelf();
    let command = train(dir.path(), "model", &[]);
    // A limit on the size of files fails writes as a full disk does.
    let mut limited = Command::new("sh");
    limited
        .arg("-c")
        .arg("trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"");
    limited.arg(program.get_program()).args(command.get_args());
    let (code, _, err) = outcome(&mut limited);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("tensors.safetensors"), "{err}");
    assert!(!dir.path().join("model/training/last").exists());
    assert!(!dir.path().join("model/training/last.part").exists());
    let (code, _, err) = outcome(&mut train(dir.path(), "model", &[]));
    assert_eq!(code, 0, "{err}");
}

#[test]
fn an_int8_model_that_loses_too_much_is_not_put_under_its_name() {
    let dir = workshop();
    let strict = RECIPE.replace("int8_keeps = 0.5", "int8_keeps = 1.5");
    fs::write(dir.path().join("recipe.toml"), strict).unwrap();
    let (code, _, err) = outcome(&mut train(dir.path(), "model", &[]));
    assert_eq!(code, 1);
    assert!(
        err.contains("on judged") && err.contains("expected 1.5 or more"),
        "{err}"
    );
    assert!(!dir.path().join("model/encoder.json").exists());
    assert!(dir.path().join("model/report.html").is_file());
}

#[test]
fn evals_read_whole_texts_and_int8_is_held_against_what_it_was_made_of() {
    let dir = workshop();
    let other = dir.path().join("other");
    random_base(&other, 2.0);
    let baseline = format!("other={}", other.join("base").display());
    let (head, stages) = RECIPE.split_once("[[stage]]").unwrap();
    let (_, eval) = stages.split_once("[[eval]]").unwrap();
    let tower = "[query_tower]\nlayers = 1\nvocabulary = 400\nsteps = 4\nbatch = 8\n";
    let measured = |cut: &str, out: &str| -> (f64, f64) {
        let head = head.replace("item = 24", cut);
        let recipe = format!("{head}{tower}[[eval]]{eval}");
        fs::write(dir.path().join("recipe.toml"), recipe).unwrap();
        let flags = ["--json", "--baseline", &baseline];
        let (code, out, err) = outcome(&mut train(dir.path(), out, &flags));
        assert_eq!(code, 0, "{err}");
        let report: Value = serde_json::from_str(&out).unwrap();
        let value = |name: &str| {
            let systems = report["evals"][0]["systems"].as_array().unwrap();
            let system = systems.iter().find(|s| s["name"] == name).unwrap();
            system["value"].as_f64().unwrap()
        };
        assert_ne!(value("other"), value("base"));
        let keeps = report["models"][0]["keeps"]["judged"].as_f64().unwrap();
        assert_eq!(keeps, value("INT8") / value("base"));
        (value("base"), value("other"))
    };
    assert_eq!(
        measured("item = 24", "whole"),
        measured("item = 4", "cut in training")
    );
}

#[test]
fn a_dry_run_says_what_it_would_take_and_writes_nothing() {
    let dir = workshop();
    let (code, out, err) = outcome(&mut train(dir.path(), "model", &["--dry-run", "--json"]));
    assert_eq!(code, 0, "{err}");
    let stages: Value = serde_json::from_str(&out).unwrap();
    for (stage, steps) in [(0, 20), (1, 15)] {
        assert_eq!(stages[stage]["steps"], steps);
        assert!(stages[stage]["seconds"].as_f64().unwrap() > 0.0);
    }
    assert!(!dir.path().join("model").exists());
}

#[test]
fn recipes_and_data_that_cannot_be_trained_on_are_named() {
    let dir = workshop();
    for (from, to, expected) in [
        ("steps = 20", "stepz = 20", "unknown field `stepz`"),
        ("kind = \"roar\"", "kind = \"raw\"", "unknown variant `raw`"),
        (
            "batch = 8",
            "batch = 1",
            "stage \"contrastive\", batch: expected 2 or more, found 1",
        ),
        (
            "data = [\"judged\"]\nsteps = 15",
            "data = [\"other\"]\nsteps = 15",
            "expected names of [data], found other",
        ),
        (
            "positive = 3",
            "positive = 9",
            "expected rows of grade 9 or more",
        ),
        (
            "positive = 3",
            "positive = 1\nlevels = [0.5]",
            "queries with items of two grades",
        ),
        (
            "path = \"judged.jsonl\"\npositive",
            "path = \"absent.jsonl\"\npositive",
            "absent.jsonl",
        ),
    ] {
        let recipe = RECIPE.replace(from, to);
        assert_ne!(recipe, RECIPE, "{from}");
        fs::write(dir.path().join("recipe.toml"), recipe).unwrap();
        let (code, _, err) = outcome(&mut train(dir.path(), "model", &[]));
        assert_eq!(code, 1, "{err}");
        assert!(err.contains(expected), "{from}: {err}");
        let _ = fs::remove_dir_all(dir.path().join("model"));
    }
}
