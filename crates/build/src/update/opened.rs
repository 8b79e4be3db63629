//! A shelf that is open to be changed: its catalog, and what its items were made of.

use std::path::{Path, PathBuf};

use nearshelf_catalog::{Bytes, Catalog, MANIFEST_NAME, Manifest};

use crate::error::{Error, Result};
use crate::items::{ItemOptions, Source, TextField};
use crate::make::open_catalog;
use crate::model::Model;
use crate::options::BuildOptions;
use crate::source::{self, Recipe, Sources, fingerprint};
use crate::words::WordOptions;

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

    /// The encoder of the items: the shelf's own, or the one at hand.
    ///
    /// # Errors
    /// Neither encoded the items; files that cannot be read.
    pub fn model(&self, at_hand: Option<fn() -> Result<Model>>) -> Result<Model> {
        let own = Model::open(&self.directory)?;
        let Err(error) = self.checked(&own, "the smaller one for queries, which the shelf carries")
        else {
            return Ok(own);
        };
        if let Some(at_hand) = at_hand {
            let model = at_hand()?;
            if self.is_encoder(&model)? {
                return Ok(model);
            }
        }
        Err(error)
    }

    /// A model that encodes as the shelf's items were; `found` says in the error which other one it is.
    ///
    /// # Errors
    /// Another model than the items were encoded with.
    pub fn checked<'a>(&self, model: &'a Model, found: &str) -> Result<&'a Model> {
        if self.is_encoder(model)? {
            return Ok(model);
        }
        Err(Error::Option {
            option: "model",
            expected: "the encoder that the shelf's items were encoded with".into(),
            found: found.into(),
        })
    }

    fn is_encoder(&self, model: &Model) -> Result<bool> {
        Ok(fingerprint(model.items())? == self.recipe.encoder)
    }

    /// The options that the shelf was built with.
    pub fn build_options(&self) -> BuildOptions {
        let words = self.catalog.words();
        let text = match words {
            Some(words) => words
                .fields()
                .map(|(name, weight)| TextField {
                    name: name.to_owned(),
                    weight,
                })
                .collect(),
            None => self
                .manifest
                .text_fields
                .iter()
                .map(|name| name.as_str().into())
                .collect(),
        };
        BuildOptions {
            items: ItemOptions {
                id: self.manifest.id_field.clone(),
                text,
                exact: words
                    .map(|words| words.exact_fields().to_vec())
                    .unwrap_or_default(),
                ..ItemOptions::default()
            },
            words: WordOptions {
                language: words
                    .map(|words| words.analyzer().language())
                    .unwrap_or_default(),
                ..WordOptions::default()
            },
            shard_size: self.recipe.shard_size as usize,
            seed: self.manifest.seed,
            ef_construction: self.recipe.ef_construction as usize,
            precision: self.recipe.precision(),
            recall: self.recipe.recall,
            ..BuildOptions::default()
        }
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
