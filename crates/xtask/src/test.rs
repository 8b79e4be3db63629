//! The tests, and the fuzzers.

use std::env;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::thread;

use anyhow::{Context, Result, ensure};

use crate::aarch64::Aarch64;
use crate::setup::{self, Setup};
use crate::shell::{FEATURES, cache, cargo, cli, root, run as run_command, shared_data};
use crate::{native, web};

/// Everything that tests need besides themselves; `None` where it cannot be had, which is said.
struct Parts {
    setup: Option<Setup>,
    /// Whether the wasm modules are there.
    has_web: bool,
    /// Packages from the npm registry, and Node.js.
    npm: Option<(PathBuf, PathBuf)>,
    aarch64: Option<Aarch64>,
}

/// Sets up, then runs every test.
pub fn run() -> Result<()> {
    let parts = parts()?;
    if shared_data().is_none() {
        println!("skipped: what needs real data: there is no shared/data beside the repository");
    }
    let mut tests = cargo();
    tests.args(["test", "--release", "--workspace", "--no-fail-fast"]);
    tests.args(["--features", FEATURES]);
    if let Some(Setup {
        python,
        base,
        onnx_runtime,
    }) = &parts.setup
    {
        tests.env("NEARSHELF_PYTHON", python);
        tests.env("NEARSHELF_BASE_MODEL", base);
        tests.env("ORT_DYLIB_PATH", onnx_runtime);
    }
    if parts.has_web {
        tests.env("NEARSHELF_WEB", web::directory(""));
        tests.env("NEARSHELF_PACKAGE", web::package());
        if let Some((modules, node)) = &parts.npm {
            tests.env("NEARSHELF_NPM", modules);
            tests.env("NEARSHELF_NODE", node);
        }
    }
    if cfg!(unix) {
        tests.env("NEARSHELF_PREFIX", native::prefix());
    }
    thread::scope(|scope| {
        // A minute of one core, over before tests that measure memory begin.
        let emulated = scope.spawn(|| parts.aarch64.map_or(Ok(()), |tests| tests.test()));
        let tested = run_command(&mut tests);
        let emulated = emulated.join().unwrap_or_else(|e| resume_unwind(e));
        tested.and(emulated)
    })?;
    println!("all tests passed");
    Ok(())
}

/// Makes the parts side by side: each spends minutes on what one core is enough for, or waits for a server.
fn parts() -> Result<Parts> {
    thread::scope(|scope| {
        let setup = scope.spawn(setup::for_comparisons);
        let npm = scope.spawn(|| Ok((setup::web_packages()?, setup::node()?)));
        let web = scope.spawn(web::build);
        let native = scope.spawn(|| match cfg!(unix) {
            true => native::install(&native::prefix()),
            false => Ok(()),
        });
        // The tests of the command line look for it beside them.
        cli()?;
        let aarch64 = Aarch64::build();
        native.join().unwrap_or_else(|e| resume_unwind(e))?;
        let npm: Result<_> = npm.join().unwrap_or_else(|e| resume_unwind(e));
        Ok(Parts {
            setup: setup.join().unwrap_or_else(|e| resume_unwind(e))?,
            has_web: web.join().unwrap_or_else(|e| resume_unwind(e))?,
            npm: npm
                .inspect_err(|error| {
                    println!("skipped: the npm package in its runtimes: {error:#}")
                })
                .ok(),
            aarch64: aarch64?,
        })
    })
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
