//! The shared parts of the tests: where things are, and the command line.

mod base;
pub mod history;
mod items;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub use base::random_base;
pub use items::demo_items;

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The demo shelf that comes with the repository.
pub fn demo() -> PathBuf {
    root().join("assets/demo")
}

/// A copy of the model directory of the demo's encoder, network file included.
pub fn demo_model() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(root().join("assets/model")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        std::fs::copy(&path, directory.path().join(name)).unwrap();
    }
    std::fs::copy(demo_network(), directory.path().join("network.nsn")).unwrap();
    directory
}

/// The network file of the demo.
pub fn demo_network() -> PathBuf {
    let entries = std::fs::read_dir(demo()).unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().path());
    paths
        .find(|path| path.extension().is_some_and(|e| e == "nsn"))
        .unwrap()
}

/// Real data beside the repository; says so where a test has to go without.
pub fn shared_data(test: &str) -> Option<PathBuf> {
    let data = root().join("../shared/data");
    if !data.is_dir() {
        println!("skipped: {test}: there is no shared/data beside the repository");
        return None;
    }
    Some(data)
}

/// Something that `cargo xtask test` sets up; says so where a test has to go without.
pub fn set_up(test: &str, variable: &str) -> Option<PathBuf> {
    let path = env::var_os(variable).map(PathBuf::from);
    if path.is_none() {
        println!("skipped: {test}: {variable} is not set (`cargo xtask test` sets it)");
    }
    path
}

/// A Python with the packages that tests compare with.
pub fn python(test: &str) -> Option<PathBuf> {
    set_up(test, "NEARSHELF_PYTHON")
}

/// The base model's directory.
pub fn base_model(test: &str) -> Option<PathBuf> {
    set_up(test, "NEARSHELF_BASE_MODEL")
}

/// The `nearshelf` command beside this test's own folder.
pub fn nearshelf() -> Command {
    Command::new(built("nearshelf"))
}

/// A program that was built with the tests, by its path beside them.
pub fn built(name: &str) -> PathBuf {
    let mut path = env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push(format!("{name}{}", env::consts::EXE_SUFFIX));
    assert!(
        path.is_file(),
        "{}: build it first (cargo build --release --workspace --bins --examples)",
        path.display()
    );
    path
}

/// Runs a command and gives its exit code, standard output and standard error.
pub fn outcome(command: &mut Command) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    // Killed by a signal is no exit code; a panic is 101.
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

/// Runs a Python script with arguments and gives what it printed.
pub fn run_python(python: &Path, script: &Path, arguments: &[&Path]) -> String {
    let (code, out, err) = outcome(Command::new(python).arg(script).args(arguments));
    assert_eq!(code, 0, "{}: {err}", script.display());
    out
}

/// Reads a float32 matrix.
pub fn read_npy(path: &Path) -> Vec<Vec<f32>> {
    let bytes = std::fs::read(path).unwrap();
    let npy = npyz::NpyFile::new(&bytes[..]).unwrap();
    let width = npy.shape()[1] as usize;
    npy.into_vec::<f32>()
        .unwrap()
        .chunks(width)
        .map(<[f32]>::to_vec)
        .collect()
}

/// The texts that encoders are compared on, one a line.
pub fn varied_texts() -> Vec<String> {
    let path = root().join("tests/golden/varied-texts.txt");
    std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// Cosine of two vectors.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// Mean and least.
pub fn mean_and_worst(values: &[f64]) -> (f64, f64) {
    let worst = values.iter().copied().fold(f64::INFINITY, f64::min);
    (values.iter().sum::<f64>() / values.len() as f64, worst)
}
