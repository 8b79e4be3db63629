//! Commands, and where things are.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

/// The repository.
pub fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root.pop();
    root
}

/// Cargo's build folder, wherever it is.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The folder of everything that set-up fetched, and that tests and benchmarks make; safe to delete.
pub fn cache() -> PathBuf {
    target().join("nearshelf")
}

/// Real data beside the repository, where it is there.
pub fn shared_data() -> Option<PathBuf> {
    let data = root().parent()?.join("shared/data");
    data.is_dir().then_some(data)
}

/// The features that tests and tools are built with: one set, so that nothing is compiled twice.
pub const FEATURES: &str = "nearshelf-cli/train,nearshelf-encoder/onnx,nearshelf/onnx";

/// The `nearshelf` command with all it can do.
pub fn cli() -> Result<PathBuf> {
    program("nearshelf")
}

/// A program of the workspace, built as the tests are.
pub fn program(name: &str) -> Result<PathBuf> {
    let build = ["build", "--release", "--workspace", "--features", FEATURES];
    // With the tests: cargo would otherwise choose other features for what both depend on, and compile it twice.
    run(cargo().args(build).args(["--bin", name, "--tests"]))?;
    Ok(target()
        .join("release")
        .join(format!("{name}{}", env::consts::EXE_SUFFIX)))
}

/// Cargo in the repository's root.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// A development tool of this workspace, as a command that compiles and runs it.
pub fn tool(package: &str) -> Command {
    let mut command = cargo();
    command.args(["run", "--quiet", "--release", "--package", package, "--"]);
    command
}

/// The SHA-256 of bytes in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|b| format!("{b:02x}")).collect()
}

/// Compares bytes with their digest.
pub fn check_sha256(name: &str, bytes: &[u8], expected: &str) -> Result<()> {
    let found = sha256(bytes);
    if found != expected {
        bail!("{name}: expected SHA-256 {expected}, found {found}");
    }
    Ok(())
}

/// Makes `to` a copy of the files in `from`, and of nothing else.
pub fn copy_files(from: &Path, to: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Runs a command, its output passed on.
pub fn run(command: &mut Command) -> Result<()> {
    eprintln!("$ {}", line(command));
    let status = command.status().with_context(|| line(command))?;
    if !status.success() {
        bail!("{}: {status}", line(command));
    }
    Ok(())
}

/// Runs a command and gives what it printed.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| line(command))?;
    if !output.status.success() {
        bail!("{}: {}", line(command), output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn line(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let name = program
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    std::iter::once(name)
        .chain(
            command
                .get_args()
                .map(|arg| arg.to_string_lossy().into_owned()),
        )
        .collect::<Vec<_>>()
        .join(" ")
}
