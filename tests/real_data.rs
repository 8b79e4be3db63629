//! The shared catalogs and judgements, where they are at hand.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde_json::Value;
use support::{base_model, demo_model, nearshelf, outcome, python, root, run_python, shared_data};

fn unpack(path: &Path) -> String {
    let mut text = String::new();
    MultiGzDecoder::new(fs::File::open(path).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    text
}

/// Icecat's queries and judgements as BEIR's files.
fn icecat(data: &Path, to: &Path) -> (PathBuf, PathBuf) {
    let mut ids: BTreeMap<String, usize> = BTreeMap::new();
    let mut qrels = String::from("query-id\tcorpus-id\tscore\n");
    for line in unpack(&data.join("icecat_judgements.jsonl.gz")).lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let next = ids.len();
        let id = *ids
            .entry(row["query"].as_str().unwrap().to_owned())
            .or_insert(next);
        writeln!(
            qrels,
            "q{id}\t{}\t{}",
            row["id"].as_str().unwrap(),
            row["grade"]
        )
        .unwrap();
    }
    let queries: String = ids
        .iter()
        .map(|(text, id)| {
            serde_json::json!({ "_id": format!("q{id}"), "text": text }).to_string() + "\n"
        })
        .collect();
    let paths = (to.join("queries.jsonl"), to.join("qrels.tsv"));
    fs::write(&paths.0, queries).unwrap();
    fs::write(&paths.1, qrels).unwrap();
    paths
}

fn nearshelf_json(arguments: &[&str]) -> Value {
    let (code, out, err) = outcome(nearshelf().args(arguments).arg("--json"));
    assert_eq!(code, 0, "{arguments:?}: {err}");
    serde_json::from_str(&out).unwrap()
}

/// nDCG@10 by words, meaning and both of a shelf that is evaluated so.
fn words_and_meaning_together_beat_each(eval: &[&str]) -> [f64; 3] {
    let report = nearshelf_json(&[eval, &["--systems", "words,meaning,hybrid"]].concat());
    let ndcg = |system: &str| {
        let metrics = &report["systems"][system];
        println!("shipped, {system}: {metrics}");
        metrics["ndcg_exponential"].as_f64().unwrap()
    };
    let [words, meaning, hybrid] = ["words", "meaning", "hybrid"].map(ndcg);
    assert!(words >= 0.655 && hybrid >= 0.665 && hybrid > words.max(meaning));
    [words, meaning, hybrid]
}

/// Builds the shelf `four` with a query encoder of 4 bits, and compares it with one of 8.
fn four_bits_find_what_eight_do(
    corpus: &str,
    model: &str,
    eight: &str,
    four: &str,
    judged: &[&str],
) {
    let eval =
        |shelf| words_and_meaning_together_beat_each(&[&["eval", shelf][..], judged].concat());
    let items = ["--items", corpus, "--model", model, "--fields", "title"];
    let bits = ["--query-bits", "4", "--out", four];
    nearshelf_json(&[&["build"][..], &items, &bits].concat());
    for (eight, four) in eval(eight).iter().zip(eval(four)) {
        assert!(four >= 0.98 * eight, "{four} of {eight} with 4 bits");
    }
}

#[test]
fn icecat_is_measured_as_the_data_guide_measures_it() {
    let test = "Icecat";
    let (Some(data), Some(base), Some(python)) =
        (shared_data(test), base_model(test), python(test))
    else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (queries, qrels) = icecat(&data, directory.path());
    let (queries, qrels) = (queries.to_str().unwrap(), qrels.to_str().unwrap());
    let corpus = data.join("icecat_corpus.jsonl.gz");
    let corpus = corpus.to_str().unwrap();

    let (mut ndcg, mut exact) = (Vec::new(), Vec::new());
    let shipped = demo_model();
    for precision in ["f32", "int8", "shipped"] {
        let (model, shelf) = (path(precision), path(&format!("shelf-{precision}")));
        let base = base.to_str().unwrap();
        let model = if precision == "shipped" {
            shipped.path().to_str().unwrap().to_owned()
        } else {
            let to = ["--out", &model, "--precision", precision];
            nearshelf_json(&[&["export", "--base", base][..], &to].concat());
            model
        };
        let mut made = vec!["--model", &model, "--out", &shelf, "--fields", "title"];
        // ONNX Runtime has vectors of all titles in half a minute, a graph that is not fused takes two.
        let vectors = path("vectors.npy");
        if precision == "f32" {
            let script = root().join("tests/reference/titles.py");
            let corpus = data.join("icecat_corpus.jsonl.gz");
            run_python(
                &python,
                &script,
                &[model.as_ref(), &corpus, vectors.as_ref()],
            );
            made.extend(["--vectors", &vectors]);
        }
        nearshelf_json(&[&["build", "--items", corpus][..], &made].concat());
        let judged = ["--queries", queries, "--qrels", qrels, "--relevant", "2"];
        let against = ["--mode", "meaning", "--baseline", "bm25,exact"];
        let report = nearshelf_json(&[&["eval", &shelf][..], &judged, &against].concat());
        for (system, metrics) in report["systems"].as_object().unwrap() {
            println!("{precision} {system}: {metrics}");
        }
        let metric = |system: &str, name: &str| report["systems"][system][name].as_f64().unwrap();
        // The data guide's figures for BM25.
        assert!((metric("bm25", "ndcg_exponential") - 0.622).abs() <= 0.01);
        assert!((metric("bm25", "recall_capped") - 0.611).abs() <= 0.01);
        assert!(
            (metric("exact", "ndcg_exponential") - metric("nearshelf", "ndcg_exponential")).abs()
                <= 0.01
        );
        ndcg.push(metric("nearshelf", "ndcg_exponential"));
        exact.push(metric("exact", "ndcg_exponential"));
        if precision == "shipped" {
            four_bits_find_what_eight_do(corpus, &model, &shelf, &path("shelf-four"), &judged);
        }
    }
    println!("nDCG@10: f32 {:.4}, INT8 {:.4}", ndcg[0], ndcg[1]);
    println!(
        "nDCG@10, exact search: f32 {:.4}, INT8 {:.4}",
        exact[0], exact[1]
    );
    assert!(
        (ndcg[0] - 0.510).abs() <= 0.01,
        "the data guide measured 0.510"
    );
    // By exact search: one of the 113 queries whose only answer a walk misses is 0.009.
    assert!((exact[0] - exact[1]).abs() <= 0.005);

    println!("shipped: nDCG@10 {:.4}, exact {:.4}", ndcg[2], exact[2]);
    check_shipped(shipped.path());
    assert!(exact[2] >= 0.97 * exact[1]);
}

/// The sizes of the shipped model: of it only the query tower is at hand, which encodes the items as well.
fn check_shipped(shipped: &Path) {
    let size = |name: &str| fs::metadata(shipped.join(name)).unwrap().len();
    let (bytes, network) = (size("model.onnx"), size("network.nsn"));
    println!("shipped: {bytes} bytes, as a network file {network}");
    assert!(bytes <= 12_000_000);
    // Positions in f32, tokenizer and digests come on top of it.
    assert!(network <= bytes + 700_000);
}
