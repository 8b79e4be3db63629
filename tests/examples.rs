//! The examples of the crate `nearshelf`, as its users run them.

use std::process::Command;

use support::{built, outcome, root};

/// Output of an example, run in the repository.
fn run(name: &str, arguments: &[&str]) -> String {
    let mut example = Command::new(built(&format!("examples/{name}")));
    let (code, out, error) = outcome(example.args(arguments).current_dir(root()));
    assert_eq!(code, 0, "{name}: {error}");
    out
}

#[test]
fn a_text_becomes_hits_with_fields() {
    let out = run("search", &["rain jacket"]);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 5, "{out}");
    assert!(lines[0].contains("Rain Jacket"), "{out}");
}

#[test]
fn items_that_are_liked_become_recommendations() {
    let out = run("more_like_this", &[]);
    assert_eq!(out.matches("Boots").count(), 5, "{out}");
}

#[test]
fn live_prices_stand_above_those_of_the_shelf() {
    let out = run("live_prices", &[]);
    let (before, live) = out.split_once("live:").unwrap();
    assert!(
        !before.contains("Number(9.5)") && live.contains("Number(9.5)"),
        "{out}"
    );
    let sold = before
        .lines()
        .nth(2)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap();
    assert!(!live.contains(sold), "{out}");
}

#[test]
fn texts_become_vectors() {
    let out = run(
        "embed",
        &["a rain jacket", "waterproof coat", "garden chair"],
    );
    let rows: Vec<Vec<f32>> = out
        .lines()
        .map(|line| {
            line.split_whitespace()
                .map_while(|x| x.parse().ok())
                .collect()
        })
        .collect();
    assert!(
        rows[0][1] > rows[0][2] && (rows[0][0] - 1.0).abs() < 1e-3,
        "{out}"
    );
}

#[test]
fn a_shelf_comes_from_memory_and_threads_share_it() {
    let out = run("from_memory", &[]);
    assert_eq!(out.matches("Some(").count(), 4, "{out}");
}

#[test]
fn a_shard_comes_in_parts_and_only_those_that_are_touched() {
    let out = run("in_parts", &[]);
    let last = out.lines().last().unwrap();
    let numbers: Vec<u64> = last
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    assert_eq!(out.lines().count(), 11, "{out}");
    assert!(numbers[0] < numbers[1], "{last}");
}
