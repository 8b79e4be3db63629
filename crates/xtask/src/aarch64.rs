//! Kernels, walks and golden vectors on AArch64, under an emulator, where the emulator is.

use std::process::Command;

use anyhow::Result;

use crate::shell::{cargo, run, target};

const TARGET: &str = "aarch64-unknown-linux-musl";
const EMULATOR: &str = "qemu-aarch64";
/// Debian's package of it.
const PACKAGE: &str = "qemu-user";

/// The tests of kernels, index and encoder, compiled.
pub struct Aarch64(());

impl Aarch64 {
    /// Gets emulator and target, and compiles; `None` where they cannot be had, which is said.
    ///
    /// # Errors
    /// Code that does not compile.
    pub fn build() -> Result<Option<Self>> {
        if let Err(missing) = set_up() {
            println!("skipped: AArch64 under an emulator: {missing:#}");
            return Ok(None);
        }
        run(tests().arg("--no-run"))?;
        Ok(Some(Aarch64(())))
    }

    /// Runs them.
    ///
    /// # Errors
    /// A test that failed.
    pub fn test(&self) -> Result<()> {
        // Batches, threads and damage are the same code everywhere, and an emulator takes its time.
        run(tests().args([
            "--", "--skip", "batch", "--skip", "threads", "--skip", "flipped",
        ]))
    }
}

fn set_up() -> Result<()> {
    if Command::new(EMULATOR).arg("--version").output().is_err() {
        // Where this is allowed to install it, as on a machine made for tests.
        run(Command::new("apt-get").args(["install", "--yes", "--quiet", PACKAGE]))?;
    }
    run(Command::new("rustup").args(["target", "add", TARGET]))
}

fn tests() -> Command {
    let mut command = cargo();
    command
        .args(["test", "--release", "--target", TARGET])
        .args([
            "--package",
            "nearshelf-kernels",
            "--package",
            "nearshelf-index",
            "--package",
            "nearshelf-encoder",
        ])
        .arg("--tests")
        .arg("--target-dir")
        .arg(target().join("aarch64"))
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld")
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUNNER", EMULATOR);
    command
}
