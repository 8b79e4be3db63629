//! Formatting, style, clippy, documentation, licences.

use anyhow::Result;

use crate::setup::has_cargo_command;
use crate::shell::{FEATURES, cargo, root, run};
use crate::style;

/// The licence checker. Licences and sources are checked offline; advisories need a database from
/// elsewhere and are checked where it can be had.
const CARGO_DENY: &str = "cargo-deny@0.20.2";

/// All checks.
///
/// # Errors
/// The first that fails.
pub fn run_all() -> Result<()> {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    style::check(&root())?;
    let clippy = [
        "clippy",
        "--release",
        "--workspace",
        "--all-targets",
        "--features",
        FEATURES,
        "--",
        "-Dwarnings",
    ];
    run(cargo().args(clippy))?;
    let doc = [
        "doc",
        "--release",
        "--workspace",
        "--no-deps",
        "--document-private-items",
        "--features",
        FEATURES,
    ];
    run(cargo().env("RUSTDOCFLAGS", "-Dwarnings").args(doc))?;
    if !has_cargo_command("deny") {
        run(cargo().args(["install", "--quiet", "--locked", CARGO_DENY]))?;
    }
    run(cargo().args(["deny", "check", "licenses", "bans", "sources"]))?;
    if run(cargo().args(["deny", "check", "advisories"])).is_err() {
        let fetched = run(cargo().args(["deny", "fetch", "db"])).is_ok();
        anyhow::ensure!(!fetched, "a dependency has a known advisory");
        println!("skipped: advisories (their database cannot be reached from here)");
    }
    Ok(())
}
