//! Circles of files inside a crate, by what each file imports and names of the others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::visit::{self, Visit};

use super::modules::{Modules, Source, flat, place};

/// Each file, and those that it stands on.
type Arrows<'a> = BTreeMap<&'a Path, BTreeSet<&'a Path>>;

/// Circles of a crate's files, each as its files in the order of their names.
pub fn of(sources: &[Source]) -> Vec<String> {
    let modules = Modules::new(sources);
    let arrows: Arrows<'_> = sources
        .iter()
        .map(|source| (source.name.as_path(), stands_on(source, &modules)))
        .collect();
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for file in arrows.keys() {
        let ahead = reached(&arrows, file);
        let circle: BTreeSet<&Path> = ahead
            .iter()
            .filter(|other| reached(&arrows, other).contains(file))
            .copied()
            .collect();
        if circle.len() > 1 && seen.insert(circle.clone()) {
            let names: Vec<String> = circle
                .iter()
                .map(|file| arrow(&arrows, file, &circle))
                .collect();
            found.push(names.join("; "));
        }
    }
    found
}

/// A file of a circle, and those of the circle that it stands on.
fn arrow(arrows: &Arrows<'_>, file: &Path, circle: &BTreeSet<&Path>) -> String {
    let ends: Vec<String> = arrows[file]
        .intersection(circle)
        .map(|end| end.display().to_string())
        .collect();
    format!("{} -> {}", file.display(), ends.join(", "))
}

/// Files that are reached from one, itself among them when there is a way back.
fn reached<'a>(arrows: &Arrows<'a>, from: &Path) -> BTreeSet<&'a Path> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&Path> = arrows[from].iter().copied().collect();
    while let Some(next) = open.pop() {
        if found.insert(next) {
            open.extend(&arrows[next]);
        }
    }
    found
}

/// Other files of the crate that a file names.
fn stands_on<'a>(source: &'a Source, modules: &Modules<'a>) -> BTreeSet<&'a Path> {
    let mut paths = Paths(Vec::new());
    paths.visit_file(&source.syntax);
    let from = place(&source.name);
    paths
        .0
        .iter()
        .filter_map(|path| modules.definition(&from, path))
        .filter(|file| *file != source.name)
        .collect()
}

/// Paths of a file as they stand in its module: modules that are written inside it are not entered.
struct Paths(Vec<Vec<String>>);

impl Visit<'_> for Paths {
    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        self.0
            .extend(flat(&item.tree, &[]).into_iter().map(|import| import.path));
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if names.len() > 1 {
            self.0.push(names);
        }
        visit::visit_path(self, path);
    }

    fn visit_item_mod(&mut self, _: &syn::ItemMod) {}

    fn visit_visibility(&mut self, _: &syn::Visibility) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<Source> = files
            .iter()
            .map(|(name, text)| Source {
                name: name.into(),
                syntax: syn::parse_file(text).unwrap(),
            })
            .collect();
        of(&sources)
    }

    #[test]
    fn files_that_name_each_other_are_a_circle() {
        let found = circles(&[
            ("lib.rs", "mod a; mod b; pub use a::A;"),
            ("a.rs", "pub struct A; fn f() { super::b::go() }"),
            ("b/mod.rs", "use crate::A; mod c; pub fn go() {}"),
        ]);
        assert_eq!(found, ["a.rs -> b/mod.rs; b/mod.rs -> a.rs"]);
    }

    #[test]
    fn a_child_that_takes_of_its_parent_what_the_parent_took_elsewhere_is_none() {
        let found = circles(&[
            (
                "lib.rs",
                "mod error; mod walk; use error::Error; fn f() { walk::go() }",
            ),
            ("error.rs", "pub struct Error;"),
            ("walk.rs", "use super::Error; pub fn go() {}"),
        ]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn a_child_that_takes_what_its_parent_defines_is_one() {
        let found = circles(&[
            ("lib.rs", "mod a;"),
            ("a/mod.rs", "mod b; pub struct Shared; fn f() { b::go() }"),
            ("a/b.rs", "use super::Shared; pub fn go() {}"),
        ]);
        assert_eq!(found, ["a/b.rs -> a/mod.rs; a/mod.rs -> a/b.rs"]);
    }
}
