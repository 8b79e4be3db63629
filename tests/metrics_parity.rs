//! `nearshelf eval`'s numbers against trec_eval's, by pytrec_eval.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use nearshelf_eval::{Qrels, Run, compare, evaluate_query, read_qrels, write_run};
use support::{python, root, run_python};

/// A generator of numbers good enough to shuffle with.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

#[test]
fn metrics_agree_with_trec_eval() {
    let Some(python) = python("metrics against pytrec_eval") else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let mut random = Random(5);
    let mut text = String::from("query-id\tcorpus-id\tscore\n");
    let mut run = Run::new();
    for query in 0..60 {
        let mut ranking = Vec::new();
        for item in 0..(5 + random.below(60)) {
            if random.below(3) > 0 {
                let grade = random.below(4).saturating_sub(u64::from(query % 7 == 0));
                writeln!(text, "q{query}\td{item}\t{grade}").unwrap();
            }
            if random.below(2) > 0 {
                // Few different scores: ties, whose order has to survive.
                ranking.push((format!("d{item}"), random.below(6) as f32 / 6.0));
            }
        }
        ranking.sort_by(|a, b| b.1.total_cmp(&a.1));
        run.insert(format!("q{query}"), ranking);
    }
    fs::write(path("qrels.tsv"), text).unwrap();
    let mut file = Vec::new();
    write_run(&mut file, &run, "test").unwrap();
    fs::write(path("run.trec"), file).unwrap();
    let qrels: Qrels = read_qrels(&path("qrels.tsv")).unwrap();

    for k in [1, 3, 10, 100] {
        fs::write(path("k"), k.to_string()).unwrap();
        let script = root().join("tests/reference/trec.py");
        let out = run_python(
            &python,
            &script,
            &[&path("qrels.tsv"), &path("run.trec"), &path("k")],
        );
        let expected: BTreeMap<String, BTreeMap<String, f64>> = serde_json::from_str(&out).unwrap();
        assert!(expected.len() > 50);
        for (query, expected) in expected {
            let ranked: Vec<&str> = run[&query].iter().map(|(item, _)| item.as_str()).collect();
            let ours = evaluate_query(&ranked, &qrels[&query], k, 2.0);
            for (measure, ours) in [
                (format!("ndcg_cut_{k}"), ours.ndcg_linear),
                ("ndcg_exponential".into(), ours.ndcg_exponential),
                (format!("recall_{k}"), ours.recall),
                (format!("success_{k}"), ours.hit),
                ("recip_rank".into(), ours.mrr),
            ] {
                let theirs = expected[&measure];
                assert!(
                    (ours - theirs).abs() < 1e-6,
                    "{query} {measure}: {ours} and {theirs}"
                );
            }
        }
    }
}

#[test]
fn significance_agrees_with_scipy() {
    let Some(python) = python("significance against SciPy") else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("scores.json");
    let mut random = Random(9);
    for shift in [0.0, 0.01, 0.03] {
        let mut score = |shift: f64| (random.below(1000) as f64 / 1000.0 + shift).min(1.0);
        let a: Vec<f64> = (0..300).map(|_| score(0.0)).collect();
        // Systems that agree on most queries, as two models do.
        let b: Vec<f64> = a
            .iter()
            .map(|x| 0.8 * x + 0.2 * score(0.0) - shift)
            .collect();
        fs::write(&path, serde_json::to_string(&[&a, &b]).unwrap()).unwrap();
        let script = root().join("tests/reference/significance.py");
        let out = run_python(&python, &script, &[&path]);
        let theirs: BTreeMap<String, f64> = serde_json::from_str(&out).unwrap();
        let ours = compare(&a, &b, 1);
        println!("{shift}: {ours:?} {theirs:?}");
        assert!((ours.difference - theirs["difference"]).abs() < 1e-12);
        assert!((ours.p_permutation - theirs["p_permutation"]).abs() < 0.02);
        assert!((ours.interval.low - theirs["low"]).abs() < 0.001);
        assert!((ours.interval.high - theirs["high"]).abs() < 0.001);
    }
}
