//! Kernels and golden vectors on AArch64, under an emulator, where cross-compiler and emulator are.

use std::process::Command;

use anyhow::Result;

use crate::shell::{cargo, run, target};

const TARGET: &str = "aarch64-unknown-linux-musl";
const EMULATOR: &str = "qemu-aarch64";
/// For the engine's assembly.
const COMPILER: &str = "aarch64-linux-gnu-gcc";
/// Debian's packages of the two.
const PACKAGES: [&str; 2] = ["qemu-user", "gcc-aarch64-linux-gnu"];

/// Runs the tests of kernels and encoder; says what is missing where they cannot run.
pub fn test() -> Result<()> {
    if let Err(missing) = set_up() {
        println!("skipped: AArch64 under an emulator: {missing:#}");
        return Ok(());
    }
    let mut command = cargo();
    command
        .args(["test", "--release", "--target", TARGET])
        .args([
            "--package",
            "nearshelf-kernels",
            "--package",
            "nearshelf-encoder",
        ])
        .arg("--tests")
        .arg("--target-dir")
        .arg(target().join("aarch64"))
        // Batches, threads and damage are the same code everywhere, and an emulator takes its time.
        .args([
            "--", "--skip", "batch", "--skip", "threads", "--skip", "flipped",
        ])
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld")
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUNNER", EMULATOR)
        .env("CC_aarch64_unknown_linux_musl", COMPILER);
    run(&mut command)
}

fn set_up() -> Result<()> {
    let has = |program: &str| Command::new(program).arg("--version").output().is_ok();
    if !(has(EMULATOR) && has(COMPILER)) {
        // Where this is allowed to install them, as on a machine made for tests.
        run(Command::new("apt-get")
            .args(["install", "--yes", "--quiet"])
            .args(PACKAGES))?;
    }
    run(Command::new("rustup").args(["target", "add", TARGET]))
}
