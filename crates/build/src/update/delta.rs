//! Shards of new items, which are added to those of a shelf.

use std::path::Path;

use nearshelf_catalog::{FileRef, Manifest, ShardRef};

use super::opened::Opened;
use super::publish::Place;
use crate::cache::VectorCache;
use crate::error::Result;
use crate::items::Items;
use crate::link::{Extended, extend, link};
use crate::make::{Parts, Source, asked, bridging_queries};
use crate::model::Model;
use crate::progress::Progress;
use crate::source;
use crate::store::Store;
use crate::vectors::{Key, VectorFile};
use crate::words::words_behind;

/// Files of new items.
pub(super) struct Delta {
    shards: Vec<ShardRef>,
    words: Option<FileRef>,
    sources: FileRef,
}

/// Encodes items, links them with those of the shelf and writes them.
///
/// # Errors
/// Everything that can be wrong with model and disk.
pub(super) fn make(
    opened: &Opened,
    items: &Items,
    model: &Model,
    keep_vectors: Option<&Path>,
    place: &Place,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Delta> {
    let encoder = model.items();
    let scratch = place.scratch()?;
    let file = scratch.path().join("vectors");
    let key = Key::new(encoder, &items.texts)?;
    let encoded = VectorFile::encode(&file, &key, encoder, &items.texts, None, threads, progress)?;
    if let Some(path) = keep_vectors {
        let (vectors, encoder) = (&encoded.vectors, &opened.recipe.encoder);
        VectorCache::write(path, encoder, vectors.dims(), &items.texts, vectors.parts())?;
    }
    let options = opened.build_options();
    let vectors = &encoded.vectors;
    let source = Source::new(items, vectors.dims());
    let mut partition = source.partition(vectors, &options, threads)?;
    let coded = source.code(vectors, &mut partition, &options, threads, progress)?;
    let linking = options.linking(threads, progress);
    let graph = link(&coded, &[], &linking)?;
    let queries = model.queries();
    let queries = bridging_queries(queries, &items.texts, &options, threads, progress)?;
    let asked = asked(queries, &partition, &coded);
    let Extended { links, back } = extend(&opened.catalog, &coded, &graph, &asked, &linking)?;
    progress.stage("writing shards", 0);
    let members = &partition.members;
    let first = opened.manifest.shards.len();
    let words = opened.catalog.words();
    let words = words.map(|words| words_behind(words, items, members));
    let file = words
        .as_ref()
        .map(|words| place.write("words", "nsw", &words.file));
    let file = file.transpose()?;
    let sources = source::write(&opened.recipe, first, items, members);
    let sources = place.write("items", "nsi", &sources)?;
    let sections = words.map_or_else(|| vec![vec![]; members.len()], |words| words.shards);
    let parts = Parts {
        coded,
        graph: links,
        back: Some(back),
        words: sections,
    };
    let files = source.write(&partition, &parts, first, place, threads)?;
    Ok(Delta {
        shards: source.shard_refs(partition, files, true),
        words: file,
        sources,
    })
}

impl Delta {
    /// Bytes of the files that searches read.
    pub fn bytes(&self) -> u64 {
        let shards = self.shards.iter().map(|shard| &shard.file);
        shards.chain(&self.words).map(|file| file.bytes).sum()
    }

    /// Enters the files into a manifest.
    pub fn enter(self, manifest: &mut Manifest) {
        manifest.shards.extend(self.shards);
        if let Some(words) = &mut manifest.words {
            words.added = self.words;
        }
        manifest.sources.push(self.sources);
    }
}
