//! Compaction: what updates added, changed and took away becomes one whole again.
//!
//! Codes and links of the living items are carried over, words are counted anew. With the vectors that were kept the shelf is
//! made as a build makes it, and has the bytes of a build from nothing.

use std::path::{Path, PathBuf};

use nearshelf_catalog::{Manifest, Value, ValueRef};
use nearshelf_index::dot_f32;

use crate::arrange::arrange;
use crate::cache::VectorCache;
use crate::error::{Error, Result};
use crate::items::{Items, TypedField};
use crate::make::Making;
use crate::model::Model;
use crate::progress::Progress;
use crate::shelf::threads;
use crate::update::{Opened, Place};
use crate::vectors::VectorFile;
use crate::words::WordTexts;

/// Options of a compaction.
#[derive(Debug, Clone)]
pub struct CompactOptions {
    /// A shelf to make, instead of a change in place.
    pub out: Option<PathBuf>,
    /// A file of vectors that were kept.
    pub reuse: Option<PathBuf>,
    /// Manifests whose files stay, the new one among them.
    pub keep: usize,
    /// Threads; 0 for as many as the machine has.
    pub threads: usize,
}

impl Default for CompactOptions {
    fn default() -> Self {
        CompactOptions {
            out: None,
            reuse: None,
            keep: 2,
            threads: 0,
        }
    }
}

/// The result of a compaction.
#[derive(Debug, Clone)]
pub struct Compacted {
    /// The manifest as it is now.
    pub manifest: Manifest,
    /// Items whose vectors were kept; those of the others are what their codes say.
    pub reused: u64,
    /// Damaged places of the file of kept vectors.
    pub damaged: u64,
    /// Bytes of all files that searches read.
    pub bytes: u64,
}

/// Makes the shelf in a directory anew of its living items. Whoever has it open goes on with what it was.
///
/// # Errors
/// Everything that can be wrong with the shelf and the disk, or another update at work. The shelf is then as it was.
pub fn compact(
    shelf: &Path,
    options: &CompactOptions,
    progress: &dyn Progress,
) -> Result<Compacted> {
    let place = Place::new(shelf, options.out.as_deref())?;
    progress.stage("opening the shelf", 0);
    let opened = Opened::open(shelf)?;
    let dims = opened.manifest.dims as usize;
    let kept = options.reuse.as_deref();
    let kept = kept
        .map(|path| VectorCache::open(path, &opened.recipe.encoder, dims))
        .transpose()?;
    let (items, places) = living(&opened)?;
    let model = Model::open(shelf)?;
    let texts = WordTexts {
        synonyms: opened.recipe.synonyms.clone(),
        queries: opened.recipe.queries.clone(),
    };
    let making = Making {
        items: &items,
        model: &model,
        options: &opened.build_options(),
        texts: &texts,
        recipe: &opened.recipe,
        threads: threads(options.threads),
        progress,
    };
    let arranged = match &kept {
        // As a build has it, to the last byte.
        Some(_) => None,
        None => arrange(&opened, &places, &making)?,
    };
    let mut reused = 0;
    let manifest = match arranged {
        Some(arranged) => making.write(arranged, opened.manifest.search.clone(), &place)?,
        None => {
            let scratch = place.scratch()?;
            let file = scratch.path().join("vectors");
            let (vectors, found) = vectors(&opened, &items, &places, kept.as_ref(), &file)?;
            reused = found;
            making.make(&vectors, &place)?
        }
    };
    place.publish(&manifest, &opened, options.keep)?;
    Ok(Compacted {
        reused,
        damaged: kept.map_or(0, |kept| kept.damaged()),
        bytes: manifest.files().map(|file| file.bytes).sum(),
        manifest,
    })
}

/// The items' vectors in a file, and how many of them were kept: the others are what their codes say.
fn vectors(
    opened: &Opened,
    items: &Items,
    places: &[(u32, u32)],
    kept: Option<&VectorCache>,
    file: &Path,
) -> Result<(VectorFile, u64)> {
    let mut reused = 0;
    let rows = items
        .texts
        .iter()
        .zip(places)
        .map(|(text, &(shard, item))| {
            if let Some(vector) = kept.map(|kept| kept.get(text)).transpose()?.flatten() {
                reused += 1;
                return Ok(vector);
            }
            let vector = opened.catalog.vector(shard, item)?.unwrap_or_default();
            let length = dot_f32(&vector, &vector).sqrt().max(f32::MIN_POSITIVE);
            Ok(vector.iter().map(|x| x / length).collect())
        });
    let dims = opened.manifest.dims as usize;
    let vectors = VectorFile::of_rows(file, items.ids.len(), dims, rows)?;
    Ok((vectors, reused))
}

/// The living items in the order of their ids, and their places in the shelf.
fn living(opened: &Opened) -> Result<(Items, Vec<(u32, u32)>)> {
    let fields = opened.manifest.fields.iter().map(|field| TypedField {
        name: field.name.clone(),
        kind: field.kind,
    });
    let mut items = Items::none(fields.collect());
    let catalog = &opened.catalog;
    let mut places: Vec<(&str, u32, u32)> = catalog.items().collect();
    places.sort_unstable();
    if places.is_empty() {
        return Err(Error::NoShelf {
            path: opened.directory.clone(),
            found: "no item that is not gone".into(),
        });
    }
    for &(id, shard, item) in &places {
        let source = opened.source(shard, item).cloned().unwrap_or_default();
        let values = (0..opened.manifest.fields.len()).map(|field| {
            let value = catalog.value(shard, field, item).unwrap_or_default();
            value.as_ref().map(ValueRef::to_value)
        });
        let values: Vec<Option<Value>> = values.collect();
        items.push(id.to_owned(), source, values);
    }
    let places = places.into_iter().map(|(_, shard, item)| (shard, item));
    Ok((items, places.collect()))
}
