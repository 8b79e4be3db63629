//! The demo page as a folder of static files, and a server for it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::shell::{cache, copy_files, root, run as run_command};
use crate::web;

/// Makes the site and, unless it is only wanted in `out`, serves it until it is stopped.
pub fn run(port: u16, out: Option<PathBuf>) -> Result<()> {
    ensure!(
        web::build()?,
        "the demo page needs the wasm module, which could not be made"
    );
    let site = out.clone().unwrap_or_else(|| cache().join("site"));
    for (from, to) in [
        (root().join("web/demo"), site.clone()),
        (web::package().join("src"), site.join("package/src")),
        (web::package().join("wasm"), site.join("package/wasm")),
        (
            web::package().join("wasm/onnx"),
            site.join("package/wasm/onnx"),
        ),
        (root().join("assets/demo"), site.join("shelf")),
    ] {
        copy_files(&from, &to)?;
    }
    if out.is_some() {
        return Ok(());
    }
    println!("http://localhost:{port}/");
    // Files as they are, of the right types: Python's own server does that.
    run_command(
        Command::new("python3")
            .args(["-m", "http.server", "--bind", "127.0.0.1", "--directory"])
            .arg(&site)
            .arg(port.to_string()),
    )
}
