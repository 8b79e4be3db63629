//! The tests, and the fuzzers.

use std::env;

use anyhow::{Context, Result, ensure};

use crate::setup::{self, Setup};
use crate::shell::{FEATURES, cache, cargo, cli, root, run as run_command, shared_data};
use crate::{aarch64, native, web};

/// Sets up, then runs every test.
pub fn run() -> Result<()> {
    let setup = setup::all()?;
    if shared_data().is_none() {
        println!("skipped: what needs real data: there is no shared/data beside the repository");
    }
    // The tests of the command line look for it beside them.
    cli()?;
    let mut tests = cargo();
    tests.args(["test", "--release", "--workspace", "--no-fail-fast"]);
    tests.args(["--features", FEATURES]);
    if let Some(Setup {
        python,
        base,
        onnx_runtime,
    }) = &setup
    {
        tests.env("NEARSHELF_PYTHON", python);
        tests.env("NEARSHELF_BASE_MODEL", base);
        tests.env("ORT_DYLIB_PATH", onnx_runtime);
    }
    if web::build()? {
        tests.env("NEARSHELF_WEB", web::directory(""));
        tests.env("NEARSHELF_PACKAGE", web::package());
        match setup::web_packages().and_then(|modules| Ok((modules, setup::node()?))) {
            Ok((modules, node)) => {
                tests.env("NEARSHELF_NPM", modules);
                tests.env("NEARSHELF_NODE", node);
            }
            Err(error) => println!("skipped: the npm package in its runtimes: {error:#}"),
        }
    }
    if cfg!(unix) {
        native::install(&native::prefix())?;
        tests.env("NEARSHELF_PREFIX", native::prefix());
    }
    run_command(&mut tests)?;
    aarch64::test()?;
    println!("all tests passed");
    Ok(())
}

/// Fuzzes with libFuzzer. Its instrumentation is a nightly feature, which the pinned compiler has too
/// when asked to.
pub fn fuzz(seconds: u32) -> Result<()> {
    let directory = root().join("tests/fuzz");
    let host = env::var("NEARSHELF_FUZZ_TARGET").unwrap_or_else(|_| host().unwrap_or_default());
    if !setup::has_cargo_command("fuzz") {
        run_command(cargo().args(["install", "--quiet", "--locked", "cargo-fuzz"]))?;
    }
    for target in [
        "shard", "manifest", "network", "filter", "words", "changes", "abi",
    ] {
        let corpus = cache().join("fuzz").join(target);
        std::fs::create_dir_all(&corpus)?;
        for entry in std::fs::read_dir(root().join("tests/golden/shelf-v1"))? {
            let path = entry?.path();
            std::fs::copy(&path, corpus.join(path.file_name().context("a file")?))?;
        }
        let time = format!("-max_total_time={seconds}");
        run_command(
            cargo()
                .current_dir(&directory)
                .env("RUSTC_BOOTSTRAP", "1")
                .args([
                    "fuzz",
                    "run",
                    "--sanitizer",
                    "none",
                    "--target",
                    &host,
                    "--fuzz-dir",
                    ".",
                ])
                .arg(target)
                .arg(corpus)
                .args(["--", &time, "-max_len=65536"]),
        )?;
    }
    Ok(())
}

fn host() -> Result<String> {
    let version = crate::shell::output(std::process::Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    ensure!(host.is_some(), "rustc -vV: expected a line with the host");
    Ok(host.unwrap_or_default().to_owned())
}
