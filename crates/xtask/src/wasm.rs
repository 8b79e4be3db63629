//! The wasm32 target, from rustup's servers or, where those cannot be reached, built from Debian's
//! package of the standard library's source; and the check that the runtime compiles for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::shell::{cache, cargo, check_sha256, output, root, run};

/// The target.
pub const TARGET: &str = "wasm32-unknown-unknown";
/// The compiler that the source package below belongs to.
const RUSTC: &str = "1.95.0";
const SOURCE_PACKAGE: &str = "pool/main/r/rustc/rust-src_1.95.0+dfsg1-2~bpo13+1_all.deb";
const SOURCE_SHA256: &str = "7b76db5b880a77f9e52975d2baa6209d2f76d2c9c2789515c3088cb960e2c83b";
/// Where Debian says which mirror it uses.
const APT_SOURCES: &str = "/etc/apt/sources.list.d/debian.sources";
/// Crates that the runtime never links: offline tools, and threads that wasm does not have.
const FORBIDDEN: [&str; 6] = [
    "instant-distance",
    "rayon",
    "candle-core",
    "ort",
    "tract-onnx",
    "prost",
];

/// A compiler with a standard library for wasm32.
pub enum Toolchain {
    /// The ordinary one.
    Installed,
    /// This one.
    Built(PathBuf),
    /// None, and why.
    Missing(String),
}

/// Finds, installs or builds the target.
pub fn toolchain() -> Result<Toolchain> {
    let libraries = ["--print", "target-libdir", "--target", TARGET];
    let libraries = PathBuf::from(output(
        Command::new("rustc").current_dir(root()).args(libraries),
    )?);
    let add = || {
        Command::new("rustup")
            .current_dir(root())
            .args(["target", "add", TARGET])
            .status()
    };
    // Set to try the way of machines that cannot reach rustup's servers.
    let offline = std::env::var_os("NEARSHELF_WASM_OFFLINE").is_some();
    if !offline
        && (has_libraries(&libraries)
            || add().is_ok_and(|status| status.success()) && has_libraries(&libraries))
    {
        return Ok(Toolchain::Installed);
    }
    let sysroot = cache().join("wasm-sysroot");
    let rustc = sysroot.join("bin/rustc");
    if sysroot.join("complete").is_file() {
        return Ok(Toolchain::Built(rustc));
    }
    match build_std(&sysroot) {
        Ok(()) => Ok(Toolchain::Built(rustc)),
        Err(error) => Ok(Toolchain::Missing(format!("{error:#}"))),
    }
}

fn has_libraries(directory: &Path) -> bool {
    fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some())
}

/// A copy of the compiler's own folder with the target's standard library built into it.
fn build_std(sysroot: &Path) -> Result<()> {
    let version = output(Command::new("rustc").current_dir(root()).arg("--version"))?;
    ensure!(
        version.contains(RUSTC),
        "expected rustc {RUSTC}, found {version}"
    );
    let work = cache().join("wasm-build");
    let _ = fs::remove_dir_all(&work);
    let _ = fs::remove_dir_all(sysroot);
    fs::create_dir_all(&work)?;
    let sources = standard_library(&work)?;
    copy_compiler(sysroot, &sources)?;
    let built = compile_std(sysroot, &work)?;
    let to = sysroot.join("lib/rustlib").join(TARGET).join("lib");
    let _ = fs::remove_dir_all(&to);
    fs::create_dir_all(&to)?;
    for entry in fs::read_dir(built)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if name.ends_with(".rlib") && !name.starts_with("libstub") {
            fs::copy(&path, to.join(&*name))?;
        }
    }
    fs::remove_dir_all(work)?;
    fs::write(sysroot.join("complete"), "")?;
    Ok(())
}

/// The sources of the standard library, from the system's packages.
fn standard_library(work: &Path) -> Result<PathBuf> {
    let sources = fs::read_to_string(APT_SOURCES).context(APT_SOURCES)?;
    let mirror = sources
        .lines()
        .find_map(|line| line.strip_prefix("URIs:"))
        .with_context(|| format!("{APT_SOURCES}: expected a line with URIs"))?
        .trim()
        .trim_end_matches('/');
    let package = work.join("rust-src.deb");
    let fetch = "import sys,urllib.request as u;open(sys.argv[2],'wb').write(u.urlopen(sys.argv[1],timeout=120).read())";
    let url = format!("{mirror}/{SOURCE_PACKAGE}");
    let fetched = Command::new("python3")
        .args(["-c", fetch, &url])
        .arg(&package)
        .output()?;
    ensure!(
        fetched.status.success(),
        "{SOURCE_PACKAGE} cannot be fetched"
    );
    check_sha256(SOURCE_PACKAGE, &fs::read(&package)?, SOURCE_SHA256)?;
    let unpacked = work.join("source");
    run(Command::new("dpkg-deb")
        .arg("-x")
        .args([&package, &unpacked]))?;
    Ok(unpacked.join(format!("usr/src/rustc-{RUSTC}/library")))
}

/// Copies the compiler's own folder, and moves the standard library's sources to where it looks for them.
fn copy_compiler(sysroot: &Path, sources: &Path) -> Result<()> {
    let mut rustc = Command::new("rustc");
    let own = output(rustc.current_dir(root()).args(["--print", "sysroot"]))?;
    // Resolved, so that a link is not copied as a link and then written through.
    let own = fs::canonicalize(own)?;
    run(Command::new("cp").arg("-r").arg(&own).arg(sysroot))?;
    let library = sysroot.join("lib/rustlib/src/rust/library");
    let _ = fs::remove_dir_all(&library);
    fs::create_dir_all(library.parent().context("a folder")?)?;
    fs::rename(sources, &library)?;
    Ok(())
}

/// Builds the standard library for the target; the folder of its libraries.
fn compile_std(sysroot: &Path, work: &Path) -> Result<PathBuf> {
    let stub = work.join("stub");
    fs::create_dir_all(stub.join("src"))?;
    fs::write(stub.join("src/lib.rs"), "")?;
    fs::write(
        stub.join("Cargo.toml"),
        "[package]\nname = \"stub\"\nedition = \"2024\"\n[workspace]\n",
    )?;
    let std = "-Zbuild-std=std,panic_abort,proc_macro,test";
    run(Command::new(sysroot.join("bin/cargo"))
        .current_dir(&stub)
        .args(["build", "--quiet", "--release", std, "--target", TARGET])
        .env("RUSTC", sysroot.join("bin/rustc"))
        // Or the copy would load the original's libraries, and take that one's folder for its own.
        .env_remove("LD_LIBRARY_PATH")
        .env("RUSTC_BOOTSTRAP", "1")
        // Without bitcode, link-time optimization over the standard library fails.
        .env("RUSTFLAGS", "-Cembed-bitcode=yes")
        .env("CARGO_TARGET_DIR", work.join("target")))?;
    Ok(work.join("target").join(TARGET).join("release/deps"))
}

/// Looks at what the runtime links.
pub fn check() -> Result<()> {
    let tree = [
        "tree",
        "--package",
        "nearshelf-web",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--target",
        TARGET,
    ];
    let tree = output(cargo().args(tree))?;
    for line in tree.lines() {
        let name = line.split(' ').next().unwrap_or_default();
        if FORBIDDEN.contains(&name) {
            bail!("the runtime must not link {name} on {TARGET}, but does");
        }
    }
    println!("ok: the runtime links none of {}", FORBIDDEN.join(", "));
    Ok(())
}
