//! Peers with a Python package: faiss, hnswlib, usearch.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use xtask::shell::root;

use super::curve::Curve;
use super::data::Data;

/// A line of `peers.py`.
#[derive(Deserialize)]
struct Measured {
    peer: String,
    build_seconds: f64,
    curves: Vec<Curve>,
}

/// Each peer's name, and a curve for each query set.
pub fn measure(
    data: &Data,
    peers: &[&str],
    ef_construction: usize,
    threads: usize,
) -> Result<Vec<(String, Vec<Curve>)>> {
    let mut child = Command::new(&data.python)
        .arg(root().join("crates/bench/python/peers.py"))
        .arg(&data.vectors_file)
        .args([ef_construction.to_string(), threads.to_string()])
        .args(peers)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("piped")?;
    for set in &data.sets {
        let [queries, truth] = &set.files;
        writeln!(stdin, "{} {}", queries.display(), truth.display())?;
    }
    drop(stdin);
    let mut text = String::new();
    let mut stdout = child.stdout.take().context("piped")?;
    stdout.read_to_string(&mut text)?;
    ensure!(child.wait()?.success(), "peers.py failed");
    let read = |line: &str| {
        let measured: Measured = serde_json::from_str(line)?;
        println!(
            "{}: built in {:.0} s",
            measured.peer, measured.build_seconds
        );
        Ok((measured.peer, measured.curves))
    };
    text.lines().map(read).collect()
}
