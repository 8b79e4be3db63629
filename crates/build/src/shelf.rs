//! The build of a shelf from a catalog's rows.

use std::path::Path;

use nearshelf_catalog::{MANIFEST_NAME, Manifest};
use nearshelf_encoder::Encoder;

use crate::cache::VectorCache;
use crate::error::Result;
use crate::items::{Items, Report, read_items};
use crate::make::Making;
use crate::model::Model;
use crate::options::BuildOptions;
use crate::progress::Progress;
use crate::source::{Recipe, fingerprint};
use crate::target::{Target, check_target};
use crate::vectors::{Encoded, Key, VectorFile};
use crate::words::WordTexts;

/// The items' vectors, while a shelf is built.
const VECTORS: &str = "vectors";

/// The result of a build.
#[derive(Debug, Clone)]
pub struct Built {
    /// The manifest as it was written.
    pub manifest: Manifest,
    /// Problems of the rows.
    pub report: Report,
    /// Items whose text was longer than the encoder reads, of those encoded now.
    pub truncated: u64,
    /// Items whose vectors were taken from a build that was killed.
    pub resumed: u64,
    /// Items whose vectors were taken from a file of kept ones.
    pub reused: u64,
    /// Damaged places of that file, whose vectors were encoded anew.
    pub damaged: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Builds the shelf `out` of the catalog `items` with the encoder `model`.
///
/// The files are written into a directory beside `out`, which takes that name when all is there. A
/// shelf that was there before is replaced; anything else there is an error.
///
/// # Errors
/// Everything that can be wrong with items, model, options and disk. Nothing is left under `out` then.
pub fn build(
    items: &Path,
    model: &Model,
    out: &Path,
    options: &BuildOptions,
    progress: &dyn Progress,
) -> Result<Built> {
    options.check()?;
    check_target(out)?;
    let texts = WordTexts::read(&options.words)?;
    let threads = threads(options.threads);
    progress.stage("reading items", 0);
    let items = read_items(items, &options.items)?;
    let encoder = fingerprint(model.items())?;
    let reuse = options.reuse.as_deref();
    let kept = reuse.map(|path| VectorCache::open(path, &encoder, model.items().dims()));
    let kept = kept.transpose()?;
    let (target, encoded) = vectors(
        out,
        &items,
        model.items(),
        kept.as_ref(),
        options,
        threads,
        progress,
    )?;
    if let Some(path) = &options.keep_vectors {
        let vectors = &encoded.vectors;
        VectorCache::write(
            path,
            &encoder,
            vectors.dims(),
            &items.texts,
            vectors.parts(),
        )?;
    }
    let manifest = Making {
        items: &items,
        model,
        options,
        texts: &texts,
        recipe: &Recipe::new(options, &texts, encoder),
        threads,
        progress,
    }
    .make(&encoded.vectors, &target)?;
    target.remove(VECTORS)?;
    let manifest_bytes = manifest.to_bytes();
    target.write_named(MANIFEST_NAME, &manifest_bytes)?;
    target.publish()?;
    let bytes = manifest.all_files().map(|f| f.bytes).sum::<u64>() + manifest_bytes.len() as u64;
    Ok(Built {
        manifest,
        report: items.report,
        truncated: encoded.truncated,
        resumed: encoded.resumed,
        reused: encoded.reused,
        damaged: kept.map_or(0, |kept| kept.damaged()),
        bytes,
    })
}

/// Threads that are used, of those asked for: 0 for as many as the machine has.
pub(crate) fn threads(asked: usize) -> usize {
    match asked {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    }
}

/// The folder to be filled, and the items' vectors: those of a file, or encoded into one of the folder's.
fn vectors(
    out: &Path,
    items: &Items,
    encoder: &Encoder,
    kept: Option<&VectorCache>,
    options: &BuildOptions,
    threads: usize,
    progress: &dyn Progress,
) -> Result<(Target, Encoded)> {
    if let Some(file) = &options.vectors {
        let target = Target::new(out, VECTORS, |_| false)?;
        let encoded = Encoded {
            vectors: VectorFile::numpy(file, items.ids.len(), encoder.dims())?
                .in_order(items.rows.clone()),
            truncated: 0,
            resumed: 0,
            reused: 0,
        };
        return Ok((target, encoded));
    }
    let key = Key::new(encoder, &items.texts)?;
    let target = Target::new(out, VECTORS, |file| {
        options.resume && VectorFile::is_of(file, &key, encoder.dims())
    })?;
    let file = target.file(VECTORS);
    let encoded = VectorFile::encode(&file, &key, encoder, &items.texts, kept, threads, progress)?;
    Ok((target, encoded))
}
