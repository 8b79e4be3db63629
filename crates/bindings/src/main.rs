//! Generators of bindings, apart from xtask, which compiles in seconds: the C header by cbindgen, the JavaScript of
//! the wasm module by wasm-bindgen as a library, so that no tool has to be installed.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use wasm_bindgen_cli_support::Bindgen;

#[derive(Debug, Parser)]
#[command(about = "Makes bindings of the C library and of the wasm module")]
enum Bindings {
    /// Write the C header of a crate.
    Header {
        /// The crate's folder.
        #[arg(long = "crate")]
        crate_: PathBuf,
        /// cbindgen.toml.
        #[arg(long)]
        config: PathBuf,
        /// The header to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Write nearshelf.js and nearshelf_bg.wasm of a compiled module.
    Wasm {
        /// The module as the compiler leaves it.
        #[arg(long)]
        module: PathBuf,
        /// Folder to write to.
        #[arg(long)]
        out: PathBuf,
    },
}

fn main() -> Result<()> {
    match Bindings::parse() {
        Bindings::Header {
            crate_,
            config,
            out,
        } => {
            let config = cbindgen::Config::from_file(config).map_err(anyhow::Error::msg)?;
            let mut header = Vec::new();
            cbindgen::Builder::new()
                .with_crate(crate_)
                .with_config(config)
                .generate()
                .context("nearshelf.h")?
                .write(&mut header);
            // The obligations of callers are said to C in its own words.
            let header = String::from_utf8(header)?.replace("# Safety", "Owed by the caller:");
            fs::write(&out, header).with_context(|| out.display().to_string())
        }
        Bindings::Wasm { module, out } => {
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
                .with_context(|| format!("bindings of {}", module.display()))
        }
    }
}
