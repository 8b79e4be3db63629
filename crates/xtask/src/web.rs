//! The wasm module, made for JavaScript by wasm-bindgen as a library: no tool has to be installed, and
//! its version is that of the lock file.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::shell::{cache, cargo, run, target};
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

/// Makes both modules of the runtime, after a look at what it links; `false` where the target cannot be had, which is said.
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
                "--release",
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
        let module = directory_of.join(TARGET).join("release/nearshelf_web.wasm");
        let out = directory(name);
        fs::create_dir_all(&out)?;
        Bindgen::new()
            .input_path(&module)
            .out_name("nearshelf")
            .web(true)?
            .typescript(true)
            .remove_name_section(true)
            .generate(&out)
            .with_context(|| format!("bindings of {}", module.display()))?;
    }
    Ok(true)
}
