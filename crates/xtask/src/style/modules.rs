//! The files of a crate as modules, and the file that a path leads to.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use syn::{Item, UseTree};

/// A file of a crate.
pub struct Source {
    /// Path below the crate's folder of sources.
    pub name: PathBuf,
    pub syntax: syn::File,
}

/// A module by its names, from the crate's root on.
pub type Place = Vec<String>;

/// Modules of a crate that are files, with what each defines and takes from elsewhere.
pub struct Modules<'a> {
    files: HashMap<Place, File<'a>>,
}

struct File<'a> {
    name: &'a Path,
    /// Names that come from elsewhere, by the path that they stand for.
    taken: HashMap<String, Vec<String>>,
}

/// A name that a `use` brings, and its path; the name of a glob is `*`.
pub struct Import {
    pub name: String,
    pub path: Vec<String>,
}

impl<'a> Modules<'a> {
    pub fn new(sources: &'a [Source]) -> Self {
        let file = |source: &'a Source| {
            let taken = uses(&source.syntax.items)
                .map(|import| (import.name, import.path))
                .collect();
            (
                place(&source.name),
                File {
                    name: &source.name,
                    taken,
                },
            )
        };
        Self {
            files: sources.iter().map(file).collect(),
        }
    }

    /// The file in which the last name of a path is defined, as the path stands in the module `from`; `None` for paths
    /// that lead out of the crate.
    pub fn definition(&self, from: &[String], path: &[String]) -> Option<&'a Path> {
        self.resolve(from, path, 0)
    }

    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<&'a Path> {
        // A name that is taken from where it is taken from has no definition.
        if depth > 16 {
            return None;
        }
        let (mut place, rest) = self.start(from, path)?;
        for (at, name) in rest.iter().enumerate() {
            let mut below = place.clone();
            below.push(name.clone());
            if self.files.contains_key(&below) {
                place = below;
                continue;
            }
            let file = self.files.get(&place)?;
            let Some(taken) = file.taken.get(name) else {
                return Some(file.name);
            };
            let onward: Vec<String> = taken.iter().chain(&rest[at + 1..]).cloned().collect();
            return self.resolve(&place, &onward, depth + 1);
        }
        Some(self.files.get(&place)?.name)
    }

    /// The module in which a path begins, and the names from there on.
    fn start<'p>(&self, from: &[String], path: &'p [String]) -> Option<(Place, &'p [String])> {
        match path.first()?.as_str() {
            "crate" => Some((Vec::new(), &path[1..])),
            "self" => Some((from.to_vec(), &path[1..])),
            "super" => {
                let mut place = from.to_vec();
                let supers = path.iter().take_while(|name| *name == "super").count();
                place.truncate(from.len().checked_sub(supers)?);
                Some((place, &path[supers..]))
            }
            name => {
                let mut below = from.to_vec();
                below.push(name.to_owned());
                self.files
                    .contains_key(&below)
                    .then(|| (from.to_vec(), path))
            }
        }
    }
}

/// The module that a file is.
pub fn place(name: &Path) -> Place {
    let mut place: Place = name
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    let is_root = place.len() == 1 && matches!(place[0].as_str(), "lib" | "main");
    if is_root || place.last().is_some_and(|last| last == "mod") {
        place.pop();
    }
    place
}

/// The imports of a list of items, tests apart.
pub fn uses(items: &[Item]) -> impl Iterator<Item = Import> + '_ {
    items.iter().flat_map(|item| match item {
        Item::Use(import) => flat(&import.tree, &[]),
        _ => Vec::new(),
    })
}

/// The imports of one `use`.
pub fn flat(tree: &UseTree, before: &[String]) -> Vec<Import> {
    let with = |name: &syn::Ident| {
        let mut path = before.to_vec();
        if name != "self" || path.is_empty() {
            path.push(name.to_string());
        }
        path
    };
    match tree {
        UseTree::Path(path) => flat(&path.tree, &with(&path.ident)),
        UseTree::Group(group) => group
            .items
            .iter()
            .flat_map(|tree| flat(tree, before))
            .collect(),
        UseTree::Glob(_) => vec![Import {
            name: "*".into(),
            path: before.to_vec(),
        }],
        UseTree::Name(name) => {
            let path = with(&name.ident);
            vec![Import {
                name: path.last().cloned().unwrap_or_default(),
                path,
            }]
        }
        UseTree::Rename(name) => {
            vec![Import {
                name: name.rename.to_string(),
                path: with(&name.ident),
            }]
        }
    }
}
