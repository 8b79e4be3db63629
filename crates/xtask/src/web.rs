//! The npm package: the wasm modules, made for JavaScript by wasm-bindgen as a library, and the files of `web`. No
//! tool has to be installed, and wasm-bindgen's version is that of the lock file.

use std::fs;
use std::panic::resume_unwind;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::shell::{cache, cargo, copy_files, root, run, sha256, target, tool};
use crate::wasm::{self, TARGET, Toolchain};

/// A module of the package: one source, compiled for other instructions and with other features.
#[derive(Debug, Clone, Copy)]
pub struct Build {
    /// Its name below the package's `wasm`, without ".wasm".
    pub name: &'static str,
    features: &'static str,
    instructions: &'static str,
}

const SIMD: &str = "-Ctarget-feature=+simd128";
// A fourth of the stack that Rust gives, which is memory of every page: nothing here recurses far. tract does.
const SIMD_SMALL: &str = "-Ctarget-feature=+simd128 -Clink-arg=-zstack-size=262144";
const RELAXED_SMALL: &str =
    "-Ctarget-feature=+simd128,+relaxed-simd -Clink-arg=-zstack-size=262144";

/// All modules. The one below `onnx` reads graphs in ONNX as well; what it runs them on, tract, knows no relaxed SIMD.
pub const BUILDS: [Build; 3] = [
    Build::new("simd128", "", SIMD_SMALL),
    Build::new("relaxed-simd", "", RELAXED_SMALL),
    Build::new("onnx/simd128", "onnx", SIMD),
];

impl Build {
    const fn new(name: &'static str, features: &'static str, instructions: &'static str) -> Self {
        Build {
            name,
            features,
            instructions,
        }
    }
}

/// Where a build's `nearshelf.js` and `nearshelf_bg.wasm` lie.
pub fn directory(build: &str) -> PathBuf {
    cache().join("web").join(build)
}

/// A build as the compiler leaves it, with the names of its functions.
pub fn compiled(build: &str) -> PathBuf {
    let folder = target().join("wasm").join(build.replace('/', "-"));
    folder.join(TARGET).join("web/nearshelf_web.wasm")
}

/// The npm package, as `npm publish` would take it.
pub fn package() -> PathBuf {
    cache().join("package")
}

/// Makes the package of both modules of the runtime, after a look at what it links; `false` where the target cannot be had, which is said.
pub fn build() -> Result<bool> {
    wasm::check()?;
    let toolchain = wasm::toolchain()?;
    if let Toolchain::Missing(why) = &toolchain {
        println!("skipped: the wasm module: {why}");
        return Ok(false);
    }
    // Side by side: compilers spend minutes on tract that one core is enough for.
    std::thread::scope(|scope| {
        let toolchain = &toolchain;
        let compile = |build| scope.spawn(move || compile(build, toolchain));
        let compilers = BUILDS.map(compile);
        let joined = compilers.map(|thread| thread.join().unwrap_or_else(|e| resume_unwind(e)));
        joined.into_iter().collect::<Result<()>>()
    })?;
    pack()?;
    Ok(true)
}

/// Compiles a module and makes its JavaScript.
fn compile(build: Build, toolchain: &Toolchain) -> Result<()> {
    let mut command = cargo();
    command
        .args(["build", "--profile", "web", "--package", "nearshelf-web"])
        .args(["--target", TARGET, "--features", build.features])
        // A folder for each set of features: in one they would undo each other's work.
        .arg("--target-dir")
        .arg(target().join("wasm").join(build.name.replace('/', "-")))
        .env(
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
            format!("{} --cfg getrandom_backend=\"wasm_js\"", build.instructions),
        );
    if !build.features.is_empty() {
        // tract as one unit would take minutes on one core; this module is fetched for few shelves.
        command.env("CARGO_PROFILE_WEB_LTO", "off");
        command.env("CARGO_PROFILE_WEB_CODEGEN_UNITS", "16");
    }
    if let Toolchain::Built(rustc) = toolchain {
        command.env("RUSTC", rustc).env_remove("LD_LIBRARY_PATH");
    }
    run(&mut command)?;
    let mut bindgen = tool("nearshelf-bindings");
    bindgen
        .arg("wasm")
        .arg("--module")
        .arg(compiled(build.name));
    run(bindgen.arg("--out").arg(directory(build.name)))
}

/// Puts the package together in a folder of its own, which gets its name when it is whole.
fn pack() -> Result<()> {
    let (out, web) = (cache().join("package.partial"), root().join("web"));
    let _ = fs::remove_dir_all(&out);
    for file in ["package.json", "README.md", "HOSTING.md"] {
        copy(&web.join(file), &out.join(file))?;
    }
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        copy(&root().join(licence), &out.join(licence))?;
    }
    copy_files(&web.join("src"), &out.join("src"))?;
    let mut modules = String::new();
    for build in BUILDS {
        let wasm = fs::read(directory(build.name).join("nearshelf_bg.wasm"))?;
        let to = out.join("wasm").join(format!("{}.wasm", build.name));
        fs::create_dir_all(to.parent().unwrap_or(&out))?;
        fs::write(to, &wasm)?;
        let (bytes, digest) = (wasm.len(), sha256(&wasm));
        modules += &format!(
            "  \"{}\": {{ bytes: {bytes}, sha256: \"{digest}\" }},\n",
            build.name
        );
    }
    let glue = |name: &str| fs::read(directory(name).join("nearshelf.js"));
    ensure!(
        glue("simd128")? == glue("relaxed-simd")?,
        "nearshelf.js: expected the same for simd128 and relaxed-simd, as they share one; found two"
    );
    for (folder, build) in [("wasm", "simd128"), ("wasm/onnx", "onnx/simd128")] {
        for name in ["nearshelf.js", "nearshelf.d.ts"] {
            copy(&directory(build).join(name), &out.join(folder).join(name))?;
        }
    }
    let about = "// Bytes and SHA-256 of each module, which downloads are compared with.";
    let kind = "/** @type {Record<string, { bytes: number, sha256: string }>} */";
    let list = format!("{about}\n\n{kind}\nexport const MODULES = {{\n{modules}}};\n");
    fs::write(out.join("wasm/modules.js"), list)?;
    let types = "export const MODULES: Record<string, { bytes: number; sha256: string }>;\n";
    fs::write(out.join("wasm/modules.d.ts"), types)?;
    let _ = fs::remove_dir_all(package());
    fs::rename(&out, package())?;
    println!("{}", package().display());
    Ok(())
}

fn copy(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::copy(from, to).with_context(|| from.display().to_string())?;
    Ok(())
}
