//! The rules of `CONTRIBUTING.md` that no other tool holds.

mod circles;
mod docs;
mod fault;
mod length;
mod modules;

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, Result, ensure};

use fault::Fault;
use modules::Source;

/// Looks at every source file of the crates, the tests and the npm package.
///
/// # Errors
/// Names each place that breaks a rule.
pub fn check(root: &Path) -> Result<()> {
    let mut found = Vec::new();
    for member in fs::read_dir(root.join("crates"))? {
        let member = member?.path();
        found.extend(crate_faults(root, &member.join("src"))?);
    }
    found.extend(crate_faults(root, &root.join("tests"))?);
    for folder in ["web", "tests/web", "crates/bench/js"] {
        for file in sources(&root.join(folder), &["js", "mjs", "ts"])? {
            let text = fs::read_to_string(&file)?;
            found.extend(placed(root, &file, docs::script_faults(&text)));
        }
    }
    found.sort();
    ensure!(found.is_empty(), "style:\n{}", found.join("\n"));
    Ok(())
}

/// Faults of the Rust files below a folder that is one crate's.
fn crate_faults(root: &Path, folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut files = Vec::new();
    for path in sources(folder, &["rs"])? {
        let text = fs::read_to_string(&path)?;
        let syntax = syn::parse_file(&text).with_context(|| path.display().to_string())?;
        found.extend(placed(root, &path, docs::rust_faults(&text)));
        found.extend(placed(root, &path, length::faults(&syntax)));
        let name = path.strip_prefix(folder)?.to_owned();
        files.push(Source { name, syntax });
    }
    let place = folder.strip_prefix(root)?.display();
    found.extend(
        circles::of(&files)
            .into_iter()
            .map(|circle| format!("{place}: a circle of files: {circle}")),
    );
    Ok(found)
}

fn placed<'a>(
    root: &'a Path,
    file: &'a Path,
    faults: impl IntoIterator<Item = Fault> + 'a,
) -> impl Iterator<Item = String> + 'a {
    let name = file.strip_prefix(root).unwrap_or(file).display();
    faults
        .into_iter()
        .map(move |(line, fault)| format!("{name}:{line}: {fault}"))
}

/// Files below `folder` with one of the endings, in the order of their names.
fn sources(folder: &Path, endings: &[&str]) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path, endings)?);
        } else if path
            .extension()
            .is_some_and(|e| endings.iter().any(|ending| e == *ending))
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
