//! The build of a shelf, step by step.

use std::path::Path;

use nearshelf_catalog::{
    Bytes, Catalog, Chance, Columns, EncoderFiles, Field, FieldKind, FieldStats, FileRef,
    MANIFEST_NAME, Manifest, SearchDefaults, ShardRef, Value, WordsRef,
};
use nearshelf_encoder::Encoder;
use nearshelf_index::{CodedVectors, Numbering, Query, ShardBuilder};
use nearshelf_lexical::Section;

use crate::error::{Error, Result};
use crate::fragments::fragments;
use crate::items::{Items, Report, TypedField, read_items};
use crate::link::{Asked, Frozen, Linking, Vectors, entries, link};
use crate::model::{Model, ModelFiles};
use crate::options::BuildOptions;
use crate::partition::{Partition, partition};
use crate::progress::Progress;
use crate::target::{Target, check_target};
use crate::vectors::{Encoded, Key, VectorFile};
use crate::words::words;
use crate::{chance, order, parallel, probe};

/// Items for each query whose answers are linked with each other, and the most such queries.
const ITEMS_PER_QUERY: usize = 2;
const MAX_QUERIES: usize = 40_000;
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
    let (target, encoded) = vectors(out, &items, model.items(), options, threads, progress)?;
    progress.stage("cutting into shards", 0);
    let source = Source::new(&items, &encoded.vectors);
    let mut partition = source.partition(options, threads)?;
    let encoder = write_encoder(&model.files, &target)?;
    let queries = bridging_queries(model.queries(), &items.texts, options, threads, progress)?;
    let coded = source.code(&mut partition, options, threads, progress)?;
    target.remove(VECTORS)?;
    let linking = Linking {
        ef_construction: options.ef_construction,
        seed: options.seed,
        threads,
        progress,
    };
    let asked = asked(queries, &partition, &coded);
    let graph = link(&coded, &asked, &linking)?;
    drop(asked);
    progress.stage("writing shards", 0);
    let counted = words(&items, &options.items, &options.words, &partition.members)?;
    let words = target.write("words", "nsw", &counted.file)?;
    #[rustfmt::skip]
    let parts = Parts { coded, graph, words: counted.shards };
    let files = source.write(&partition, &parts, &target, threads)?;
    drop(parts);
    let mut manifest = Manifest {
        built_by: env!("CARGO_PKG_VERSION").into(),
        seed: options.seed,
        dims: source.dims as u32,
        id_field: options.items.id.clone(),
        text_fields: text_fields(options),
        fields: source.fields(&items.fields),
        encoder,
        words: Some(words_ref(words, options)),
        shards: source.shard_refs(partition, files),
        search: SearchDefaults {
            probe: 1,
            ef: 1,
            measured: vec![],
            chance: Chance::default(),
        },
    };
    progress.stage("measuring recall", 0);
    manifest.search = measured(
        &manifest,
        &target,
        model.queries(),
        &items.texts,
        options,
        threads,
    )?;

    let manifest_bytes = manifest.to_bytes();
    target.write_named(MANIFEST_NAME, &manifest_bytes)?;
    target.publish()?;
    let bytes = manifest.files().map(|f| f.bytes).sum::<u64>() + manifest_bytes.len() as u64;
    Ok(Built {
        manifest,
        report: items.report,
        truncated: encoded.truncated,
        resumed: encoded.resumed,
        bytes,
    })
}

/// The search defaults of the finished files.
fn measured(
    manifest: &Manifest,
    target: &Target,
    queries: &Encoder,
    texts: &[String],
    options: &BuildOptions,
    threads: usize,
) -> Result<SearchDefaults> {
    let catalog = open_catalog(manifest, target)?;
    let chosen = probe::choose(&catalog, queries, texts, options, threads)?;
    Ok(SearchDefaults {
        chance: chance::measure(&catalog, queries, texts, options.seed, threads)?,
        ..chosen
    })
}

fn words_ref(file: FileRef, options: &BuildOptions) -> WordsRef {
    let fields = options.items.text.len() as u32;
    WordsRef { file, fields }
}

fn text_fields(options: &BuildOptions) -> Vec<String> {
    let fields = options.items.text.iter();
    fields.map(|field| field.name.clone()).collect()
}

/// The folder to be filled, and the items' vectors: those of a file, or encoded into one of the folder's.
fn vectors(
    out: &Path,
    items: &Items,
    encoder: &Encoder,
    options: &BuildOptions,
    threads: usize,
    progress: &dyn Progress,
) -> Result<(Target, Encoded)> {
    if let Some(file) = &options.vectors {
        let target = Target::new(out, VECTORS, |_| false)?;
        let encoded = Encoded {
            vectors: VectorFile::numpy(file, items.ids.len(), encoder.dims())?,
            truncated: 0,
            resumed: 0,
        };
        return Ok((target, encoded));
    }
    let key = Key::new(encoder, &items.texts)?;
    let target = Target::new(out, VECTORS, |file| {
        options.resume && VectorFile::is_of(file, &key, encoder.dims())
    })?;
    let file = target.path(VECTORS);
    let encoded = VectorFile::encode(&file, &key, encoder, &items.texts, threads, progress)?;
    Ok((target, encoded))
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

/// The queries whose answers are linked, each with the item that it was made of.
fn bridging_queries(
    encoder: &Encoder,
    texts: &[String],
    options: &BuildOptions,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Vec<(usize, Query)>> {
    let count = (texts.len() / ITEMS_PER_QUERY).clamp(1, MAX_QUERIES);
    progress.stage("encoding queries", count as u64);
    // Another stream than the one that recall is measured with.
    let (items, fragments): (Vec<usize>, Vec<String>) =
        fragments(texts, count, !options.seed).into_iter().unzip();
    let encoded = encoder.encode_batch(&fragments, threads, &|done| progress.at(done as u64))?;
    let query = |(item, encoded): (usize, &nearshelf_encoder::Encoded)| {
        Some((item, Query::new(&encoded.vector)?))
    };
    Ok(items.into_iter().zip(&encoded).filter_map(query).collect())
}

/// The same, with the items' numbers in the graph.
fn asked(queries: Vec<(usize, Query)>, partition: &Partition, coded: &Vectors) -> Vec<Asked> {
    let mut numbers = vec![0; partition.members.iter().map(Vec::len).sum()];
    for (shard, members) in partition.members.iter().enumerate() {
        for (place, &item) in members.iter().enumerate() {
            numbers[item as usize] = coded.number(shard, place as u32);
        }
    }
    let asked = |(item, query): (usize, Query)| Asked {
        query,
        source: numbers[item],
    };
    queries.into_iter().map(asked).collect()
}

/// The parts of all shards that were made of the whole catalog.
struct Parts {
    coded: Vectors,
    graph: Frozen,
    words: Vec<Vec<Section>>,
}

/// The material of all shards.
struct Source<'a> {
    dims: usize,
    vectors: &'a VectorFile,
    ids: &'a [String],
    kinds: Vec<FieldKind>,
    values: &'a [Vec<Option<Value>>],
}

impl<'a> Source<'a> {
    fn new(items: &'a Items, vectors: &'a VectorFile) -> Self {
        Source {
            dims: vectors.dims(),
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
        pool.install(|| partition(self.vectors, options.shard_size, options.seed))
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

    /// Puts the items of each shard into the order of the file, and codes their vectors.
    fn code(
        &self,
        partition: &mut Partition,
        options: &BuildOptions,
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<Vectors> {
        let members = &partition.members;
        if !Numbering::holds(members.iter().map(|m| m.len() as u32)) {
            return Err(Error::Option {
                option: "items",
                expected: "at most 16 million".into(),
                found: format!("{} items", self.ids.len()),
            });
        }
        progress.stage("coding vectors", 0);
        let ordered = parallel::map(members.len(), threads, |number| {
            let members = &members[number];
            let rows = self.vectors.gather(members)?;
            let row = |place: u32| &rows[place as usize * self.dims..][..self.dims];
            let mut places: Vec<u32> = (0..members.len() as u32).collect();
            order::bisect(&mut places, &row);
            let mut coded = CodedVectors::new(self.dims, options.precision);
            places.iter().for_each(|&place| coded.push(row(place)));
            let items = places.iter().map(|&place| members[place as usize]);
            Ok::<_, Error>((items.collect(), coded))
        })?;
        let (members, coded): (Vec<Vec<u32>>, _) = ordered.into_iter().unzip();
        partition.members = members;
        Ok(Vectors::new(coded))
    }

    /// Writes all shards, several at a time; the result is in their order.
    fn write(
        &self,
        partition: &Partition,
        parts: &Parts,
        target: &Target,
        threads: usize,
    ) -> Result<Vec<FileRef>> {
        parallel::map(partition.members.len(), threads, |number| {
            let vectors = &parts.coded.shards()[number];
            let entries = entries(vectors.len(), parts.coded.len());
            let shard = ShardBuilder::new(vectors, &parts.graph.links()[number], entries);
            let mut shard = shard.map_err(|source| Error::Shard {
                shard: number,
                source,
            })?;
            let items = partition.members[number].iter().map(|&i| i as usize);
            let (ids, values): (Vec<&str>, Vec<&[Option<Value>]>) = items
                .map(|i| (self.ids[i].as_str(), self.values[i].as_slice()))
                .unzip();
            for (kind, index, bytes) in &parts.words[number] {
                shard.section(*kind, *index, bytes.clone());
            }
            Columns::write(&mut shard, &ids, &self.kinds, &values)?;
            target.write(&format!("shard-{number:04}"), "nss", &shard.to_bytes())
        })
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
