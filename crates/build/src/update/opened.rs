//! A shelf that is open to be changed: its catalog, and what its items were made of.

use std::path::{Path, PathBuf};

use nearshelf_catalog::{Bytes, Catalog, MANIFEST_NAME, Manifest};

use crate::error::{Error, Result};
use crate::items::Source;
use crate::make::open_catalog;
use crate::model::Model;
use crate::source::{self, Recipe, Sources, fingerprint};

/// A shelf that is open to be changed.
pub(crate) struct Opened {
    pub directory: PathBuf,
    /// The manifest as it was written.
    pub manifest: Manifest,
    /// The catalog with all changes.
    pub catalog: Catalog<Bytes>,
    pub recipe: Recipe,
    /// By shard and place.
    sources: Vec<Vec<Source>>,
}

/// A model, at hand or a shelf's own.
pub(crate) enum ModelOf<'a> {
    Given(&'a Model),
    Shelf(Box<Model>),
}

impl std::ops::Deref for ModelOf<'_> {
    type Target = Model;

    fn deref(&self) -> &Model {
        match self {
            ModelOf::Given(model) => model,
            ModelOf::Shelf(model) => model,
        }
    }
}

impl Opened {
    /// Opens the shelf in a directory.
    ///
    /// # Errors
    /// No shelf, files that are missing or damaged, a shelf without its sources.
    pub fn open(directory: &Path) -> Result<Self> {
        let no_shelf = |found: String| Error::NoShelf {
            path: directory.to_owned(),
            found,
        };
        let path = directory.join(MANIFEST_NAME);
        if !path.is_file() {
            return Err(no_shelf(format!("no {MANIFEST_NAME}")));
        }
        let bytes = std::fs::read(&path).map_err(|e| Error::io(&path, e))?;
        let manifest = Manifest::from_bytes(&path.display().to_string(), &bytes)?;
        let catalog = open_catalog(&manifest, |name| directory.join(name))?;
        let mut sources: Vec<Vec<Source>> = Vec::new();
        let mut recipe = None;
        for file in &manifest.sources {
            let path = directory.join(&file.name);
            let bytes = Bytes::map(&path).map_err(|e| Error::io(&path, e))?;
            file.verify(&bytes)?;
            let read = source::read(&bytes).map_err(|source| nearshelf_catalog::Error::File {
                file: file.name.clone(),
                source,
            })?;
            recipe.get_or_insert_with(|| read.recipe.clone());
            add(&mut sources, read, &manifest)
                .ok_or_else(|| no_shelf(format!("{}, of other shards", file.name)))?;
        }
        let Some(recipe) = recipe.filter(|_| sources.len() == manifest.shards.len()) else {
            return Err(no_shelf("no sources of its items".into()));
        };
        Ok(Opened {
            directory: directory.to_owned(),
            manifest,
            catalog,
            recipe,
            sources,
        })
    }

    /// The text and identifiers of an item.
    pub fn source(&self, shard: u32, item: u32) -> Option<&Source> {
        self.sources.get(shard as usize)?.get(item as usize)
    }

    /// The model that the shelf's items are encoded with.
    ///
    /// # Errors
    /// Another model than the items were encoded with.
    pub fn model<'a>(&self, given: Option<&'a Model>) -> Result<ModelOf<'a>> {
        let model = match given {
            Some(model) => ModelOf::Given(model),
            None => ModelOf::Shelf(Box::new(Model::open(&self.directory)?)),
        };
        if fingerprint(model.items())? != self.recipe.encoder {
            return Err(Error::Option {
                option: "model",
                expected: "the encoder that the shelf's items were encoded with".into(),
                found: match given {
                    Some(_) => "another one".into(),
                    None => "the smaller one for queries, which the shelf carries".into(),
                },
            });
        }
        Ok(model)
    }
}

/// Cuts the sources of some shards; `None` where they are not those of the next ones.
fn add(sources: &mut Vec<Vec<Source>>, read: Sources, manifest: &Manifest) -> Option<()> {
    if read.first_shard != sources.len() {
        return None;
    }
    let mut items = read.items.into_iter();
    while items.len() > 0 {
        let shard = manifest.shards.get(sources.len())?;
        let of_shard: Vec<Source> = items.by_ref().take(shard.items as usize).collect();
        if of_shard.len() != shard.items as usize {
            return None;
        }
        sources.push(of_shard);
    }
    Some(())
}
