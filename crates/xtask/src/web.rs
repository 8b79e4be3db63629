//! The npm package: the wasm module, made for JavaScript by wasm-bindgen as a library, and what `web` holds. No
//! tool has to be installed, and wasm-bindgen's version is that of the lock file.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::shell::{cache, cargo, copy_files, root, run, target};
use crate::wasm::{self, TARGET, Toolchain};

/// The two modules that one source becomes.
pub const BUILDS: [(&str, &str); 2] = [
    ("simd128", "-Ctarget-feature=+simd128"),
    ("relaxed-simd", "-Ctarget-feature=+simd128,+relaxed-simd"),
];

/// Where a build's `nearshelf.js` and `nearshelf_bg.wasm` lie.
pub fn directory(build: &str) -> PathBuf {
    cache().join("web").join(build)
}

/// A build as the compiler leaves it, with the names of its functions.
pub fn compiled(build: &str) -> PathBuf {
    let folder = target().join("wasm").join(build).join(TARGET);
    folder.join("web/nearshelf_web.wasm")
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
    for (name, features) in BUILDS {
        // A folder for each set of features: in one they would undo each other's work.
        let directory_of = target().join("wasm").join(name);
        let mut command = cargo();
        command
            .args([
                "build",
                "--profile",
                "web",
                "--package",
                "nearshelf-web",
                "--target",
                TARGET,
            ])
            .arg("--target-dir")
            .arg(&directory_of)
            .env(
                "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
                format!("{features} --cfg getrandom_backend=\"wasm_js\""),
            );
        if let Toolchain::Built(rustc) = &toolchain {
            command.env("RUSTC", rustc).env_remove("LD_LIBRARY_PATH");
        }
        run(&mut command)?;
        let module = compiled(name);
        let out = directory(name);
        fs::create_dir_all(&out)?;
        Bindgen::new()
            .input_path(&module)
            .out_name("nearshelf")
            .web(true)?
            .typescript(true)
            .remove_name_section(true)
            .omit_default_module_path(true)
            .reset_state_function(true)
            .generate(&out)
            .with_context(|| format!("bindings of {}", module.display()))?;
    }
    pack()?;
    Ok(true)
}

/// Puts the package together in a folder of its own, which gets its name when it is whole.
fn pack() -> Result<()> {
    let (out, web) = (cache().join("package.partial"), root().join("web"));
    let _ = fs::remove_dir_all(&out);
    copy(&web.join("package.json"), &out.join("package.json"))?;
    copy(&web.join("README.md"), &out.join("README.md"))?;
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        copy(&root().join(licence), &out.join(licence))?;
    }
    copy_files(&web.join("src"), &out.join("src"))?;
    let glue = BUILDS.map(|(name, _)| fs::read(directory(name).join("nearshelf.js")));
    let [glue, other] = glue;
    ensure!(
        glue? == other?,
        "nearshelf.js: expected the same for both builds, as they share one; found two"
    );
    for name in ["nearshelf.js", "nearshelf.d.ts"] {
        copy(
            &directory(BUILDS[0].0).join(name),
            &out.join("wasm").join(name),
        )?;
    }
    for (name, _) in BUILDS {
        let wasm = directory(name).join("nearshelf_bg.wasm");
        copy(&wasm, &out.join("wasm").join(format!("{name}.wasm")))?;
    }
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
