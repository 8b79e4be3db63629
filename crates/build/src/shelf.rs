//! The build of a shelf, step by step.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nearshelf_catalog::{
    Bytes, Catalog, Columns, EncoderFiles, Field, FieldKind, FieldStats, FileRef, MANIFEST_NAME,
    Manifest, SearchDefaults, ShardRef, Value, route,
};
use nearshelf_encoder::{Encoded, Encoder};
use nearshelf_index::codes::{QuantizedVector, SevenFour};
use nearshelf_index::{Query, Shard, ShardBuilder};

use crate::bridge::bridge;
use crate::error::{Error, Result};
use crate::fragments::fragments;
use crate::items::{Items, Report, TypedField, read_items};
use crate::model::{Model, ModelFiles};
use crate::options::BuildOptions;
use crate::partition::{Partition, partition};
use crate::progress::Progress;
use crate::target::{Target, check_target};
use crate::{graph, parallel, probe};

/// Items for each query whose answers are linked with each other, and the most such queries.
const ITEMS_PER_QUERY: usize = 4;
const MAX_QUERIES: usize = 40_000;
/// Shards that each of them is asked in.
const SHARDS_PER_QUERY: usize = 8;

/// The result of a build.
#[derive(Debug, Clone)]
pub struct Built {
    /// The manifest as it was written.
    pub manifest: Manifest,
    /// Problems of the rows.
    pub report: Report,
    /// Items whose text was longer than the encoder reads.
    pub truncated: u64,
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
    let threads = match options.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    };
    progress.stage("reading items", 0);
    let items = read_items(items, &options.items)?;
    let (vectors, truncated) = vectors(&items, model.items(), options, threads, progress)?;
    let source = Source::new(&items, &vectors, model.items().dims());
    progress.stage("cutting into shards", 0);
    let partition = source.partition(options, threads)?;
    let target = Target::new(out)?;
    let encoder = write_encoder(&model.files, &target)?;
    let queries = bridging_queries(
        model.queries(),
        &items.texts,
        &partition.centroids,
        options,
        threads,
        progress,
    )?;
    progress.stage("linking items", items.ids.len() as u64);
    let files = write_shards(
        &source, &partition, &queries, &target, options, threads, progress,
    )?;
    let mut manifest = Manifest {
        built_by: env!("CARGO_PKG_VERSION").into(),
        seed: options.seed,
        dims: source.dims as u32,
        id_field: options.items.id.clone(),
        text_fields: options.items.text.clone(),
        fields: source.fields(&items.fields),
        encoder,
        shards: source.shard_refs(partition, files),
        search: SearchDefaults {
            probe: 1,
            ef: 1,
            measured: vec![],
        },
    };
    progress.stage("measuring recall", 0);
    let catalog = open_catalog(&manifest, &target)?;
    manifest.search = probe::choose(&catalog, model.queries(), &items.texts, options, threads)?;
    drop(catalog);

    let manifest_bytes = manifest.to_bytes();
    target.write_named(MANIFEST_NAME, &manifest_bytes)?;
    target.publish()?;
    let bytes = manifest.files().map(|f| f.bytes).sum::<u64>() + manifest_bytes.len() as u64;
    Ok(Built {
        manifest,
        report: items.report,
        truncated,
        bytes,
    })
}

/// The items' vectors, `[n][dims]`: those of the options or the encoder's, with the number of texts that it cut.
fn vectors<'a>(
    items: &Items,
    encoder: &Encoder,
    options: &'a BuildOptions,
    threads: usize,
    progress: &dyn Progress,
) -> Result<(Cow<'a, [f32]>, u64)> {
    match &options.vectors {
        Some(vectors) => {
            check_vectors(vectors, items.ids.len(), encoder.dims())?;
            Ok((Cow::Borrowed(vectors.as_slice()), 0))
        }
        None => {
            let (vectors, truncated) = encode(encoder, &items.texts, threads, progress)?;
            Ok((Cow::Owned(vectors), truncated))
        }
    }
}

/// Links and writes all shards, several at a time. The result is in the order of the shards.
fn write_shards(
    source: &Source<'_>,
    partition: &Partition,
    queries: &[Vec<Arc<Query>>],
    target: &Target,
    options: &BuildOptions,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Vec<FileRef>> {
    let linked = AtomicU64::new(0);
    let members = &partition.members;
    parallel::map(members.len(), threads, |number| {
        let bytes = source.shard(number, &members[number], &queries[number], options)?;
        let file = target.write(&format!("shard-{number:04}"), "nss", &bytes)?;
        let count = members[number].len() as u64;
        progress.at(linked.fetch_add(count, Ordering::Relaxed) + count);
        Ok(file)
    })
}

/// The catalog as a search will open it, from the files just written.
fn open_catalog(manifest: &Manifest, target: &Target) -> Result<Catalog<Bytes>> {
    let mut catalog = Catalog::new(manifest.clone());
    for (number, shard) in manifest.shards.iter().enumerate() {
        let path = target.path(&shard.file.name);
        catalog.attach(number, Bytes::map(&path).map_err(|e| Error::io(&path, e))?)?;
    }
    Ok(catalog)
}

fn encode(
    encoder: &Encoder,
    texts: &[String],
    threads: usize,
    progress: &dyn Progress,
) -> Result<(Vec<f32>, u64)> {
    progress.stage("encoding items", texts.len() as u64);
    let encoded = encoder.encode_batch(texts, threads, &|done| progress.at(done as u64))?;
    let truncated = encoded.iter().filter(|e| e.truncated()).count() as u64;
    let mut vectors = Vec::with_capacity(texts.len() * encoder.dims());
    for text in encoded {
        vectors.extend_from_slice(&text.vector);
    }
    Ok((vectors, truncated))
}

/// The queries whose answers are linked, for each shard those that come to it early.
fn bridging_queries(
    encoder: &Encoder,
    texts: &[String],
    centroids: &[Vec<f32>],
    options: &BuildOptions,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Vec<Vec<Arc<Query>>>> {
    let count = (texts.len() / ITEMS_PER_QUERY).clamp(1, MAX_QUERIES);
    progress.stage("encoding queries", count as u64);
    // Another stream than the one that recall is measured with.
    let fragments = fragments(texts, count, !options.seed);
    let encoded = encoder.encode_batch(&fragments, threads, &|done| progress.at(done as u64))?;
    let mut queries: Vec<Vec<Arc<Query>>> = centroids.iter().map(|_| Vec::new()).collect();
    for Encoded { vector, .. } in &encoded {
        let Some(query) = Query::new(vector).map(Arc::new) else {
            continue;
        };
        for &shard in route(centroids.iter(), vector)
            .iter()
            .take(SHARDS_PER_QUERY)
        {
            queries[shard].push(query.clone());
        }
    }
    Ok(queries)
}

fn check_vectors(vectors: &[f32], items: usize, dims: usize) -> Result<()> {
    let error = |expected: String, found: String| {
        Err(Error::Option {
            option: "vectors",
            expected,
            found,
        })
    };
    if vectors.len() != items * dims {
        return error(
            format!("{items} × {dims} numbers, a row for each item"),
            format!("{} numbers", vectors.len()),
        );
    }
    for (row, vector) in vectors.chunks_exact(dims).enumerate() {
        let norm = nearshelf_index::dot_f32(vector, vector).sqrt();
        let unit = (norm - 1.0).abs() < 1e-2;
        if !unit {
            return error(
                "vectors of length 1".into(),
                format!("length {norm} in row {row}"),
            );
        }
    }
    Ok(())
}

/// The material of all shards.
struct Source<'a> {
    dims: usize,
    vectors: &'a [f32],
    ids: &'a [String],
    kinds: Vec<FieldKind>,
    values: &'a [Vec<Option<Value>>],
}

impl<'a> Source<'a> {
    fn new(items: &'a Items, vectors: &'a [f32], dims: usize) -> Self {
        Source {
            dims,
            vectors,
            ids: &items.ids,
            kinds: items.fields.iter().map(|f| f.kind).collect(),
            values: &items.values,
        }
    }

    fn partition(&self, options: &BuildOptions, threads: usize) -> Result<Partition> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()?;
        Ok(pool.install(|| partition(self.vectors, self.dims, options.shard_size, options.seed)))
    }

    /// The manifest's fields, with statistics over all items.
    fn fields(&self, fields: &[TypedField]) -> Vec<Field> {
        let all: Vec<u32> = (0..self.ids.len() as u32).collect();
        let field = |(field, stats): (&TypedField, FieldStats)| Field {
            name: field.name.clone(),
            kind: field.kind,
            stats,
        };
        fields.iter().zip(self.stats(&all)).map(field).collect()
    }

    fn shard_refs(&self, partition: Partition, files: Vec<FileRef>) -> Vec<ShardRef> {
        let Partition { centroids, members } = partition;
        let shard = |((file, centroid), members): ((FileRef, Vec<f32>), Vec<u32>)| ShardRef {
            file,
            items: members.len() as u32,
            centroid,
            stats: self.stats(&members),
        };
        let files = files.into_iter();
        files.zip(centroids).zip(members).map(shard).collect()
    }

    /// Statistics of each field over some of the items.
    fn stats(&self, members: &[u32]) -> Vec<FieldStats> {
        let stats = |(field, &kind): (usize, &FieldKind)| {
            let values = members.iter().map(|&i| {
                let row = &self.values[i as usize];
                row.get(field).and_then(Option::as_ref)
            });
            FieldStats::of(kind, values)
        };
        self.kinds.iter().enumerate().map(stats).collect()
    }

    fn shard(
        &self,
        number: usize,
        members: &[u32],
        queries: &[Arc<Query>],
        options: &BuildOptions,
    ) -> Result<Vec<u8>> {
        let rows: Vec<&[f32]> = members
            .iter()
            .map(|&i| &self.vectors[i as usize * self.dims..][..self.dims])
            .collect();
        let vectors: Vec<QuantizedVector> = rows.iter().map(|r| QuantizedVector::new(r)).collect();
        // Shards differ, so that they may well share the seed.
        let (mut graph, order) =
            graph::build(&vectors, &rows, options.ef_construction, options.seed)?;
        let mut slots: Vec<Option<QuantizedVector>> = vectors.into_iter().map(Some).collect();
        let vectors: Vec<QuantizedVector> = order
            .iter()
            .filter_map(|&i| slots[i as usize].take())
            .collect();
        let items: Vec<usize> = order
            .iter()
            .map(|&i| members[i as usize] as usize)
            .collect();
        let ids: Vec<&str> = items.iter().map(|&i| self.ids[i].as_str()).collect();
        let values: Vec<&[Option<Value>]> =
            items.iter().map(|&i| self.values[i].as_slice()).collect();

        let error = |source| Error::Shard {
            shard: number,
            source,
        };
        let plain = ShardBuilder::new::<SevenFour>(self.dims, &vectors, &graph)
            .map_err(error)?
            .to_bytes();
        let plain = Shard::open(plain).map_err(error)?;
        bridge(&mut graph, &plain, queries).map_err(error)?;
        let mut shard =
            ShardBuilder::new::<SevenFour>(self.dims, &vectors, &graph).map_err(error)?;
        drop((vectors, graph));
        Columns::write(&mut shard, &ids, &self.kinds, &values)?;
        Ok(shard.to_bytes())
    }
}

/// Puts the encoder's files into the shelf under names of their content.
fn write_encoder(files: &ModelFiles, target: &Target) -> Result<EncoderFiles> {
    Ok(match files {
        ModelFiles::Network(bytes) => EncoderFiles::Network(target.write("encoder", "nsn", bytes)?),
        #[cfg(feature = "onnx")]
        ModelFiles::Onnx {
            config,
            model,
            tokenizer,
        } => EncoderFiles::Onnx {
            config: target.write("encoder", "json", config)?,
            model: target.write("model", "onnx", model)?,
            tokenizer: target.write("tokenizer", "json", tokenizer)?,
        },
    })
}
