//! The rules of `CONTRIBUTING.md` that no other tool holds: a file says what it holds, and docs begin with the thing.

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Result, ensure};

/// First words of a doc that paraphrase the thing instead of naming it.
const PARAPHRASES: [&str; 3] = ["What ", "How ", "That which "];

/// Looks at every source file of the crates.
///
/// # Errors
/// Names each place that breaks a rule.
pub fn check(root: &Path) -> Result<()> {
    let mut found = Vec::new();
    for file in sources(&root.join("crates"))? {
        let text = fs::read_to_string(&file)?;
        let name = file.strip_prefix(root).unwrap_or(&file).display();
        found.extend(faults(&text).map(|(line, fault)| format!("{name}:{line}: {fault}")));
    }
    ensure!(found.is_empty(), "style:\n{}", found.join("\n"));
    Ok(())
}

/// Lines, from 1, that break a rule.
fn faults(text: &str) -> impl Iterator<Item = (usize, String)> {
    let header = (!text.starts_with("//!")).then(|| {
        (
            1,
            "expected a line `//!` that says what the file holds".into(),
        )
    });
    let mut inside = false;
    let docs = text.lines().enumerate().filter_map(move |(at, line)| {
        let doc = doc(line);
        let first = doc.filter(|_| !inside);
        inside = doc.is_some();
        let first = first?;
        PARAPHRASES
            .iter()
            .any(|word| first.starts_with(word))
            .then(|| {
                (
                    at + 1,
                    format!("expected a doc that begins with the thing, found \"{first}\""),
                )
            })
    });
    header.into_iter().chain(docs)
}

/// The text of a doc comment's line.
fn doc(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let text = line
        .strip_prefix("///")
        .or_else(|| line.strip_prefix("//!"))?;
    Some(text.trim_start())
}

/// Rust files below `folder`, in the order of their names.
fn sources(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_its_line_and_a_paraphrase_are_found_where_they_stand() {
        let lines = |text: &str| faults(text).map(|(line, _)| line).collect::<Vec<_>>();
        assert_eq!(lines("use std::fs;\n"), [1]);
        assert_eq!(
            lines("//! Files.\n\n/// What a file holds.\nstruct A;\n"),
            [3]
        );
        assert_eq!(lines("//! How files go.\n"), [1]);
    }

    #[test]
    fn a_later_line_of_a_doc_may_begin_as_it_likes() {
        assert_eq!(
            faults("//! Files.\n\n    /// A walk.\n    /// What it costs: time.\n    fn a() {}\n")
                .count(),
            0
        );
    }
}
