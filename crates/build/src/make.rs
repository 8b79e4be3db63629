//! The files of a shelf, made step by step.

use std::path::PathBuf;

use miniz_oxide::deflate::compress_to_vec_zlib;
use nearshelf_catalog::{
    Bytes, Catalog, Chance, Columns, EncoderFiles, Field, FieldKind, FieldStats, FileRef, FrontRef,
    Manifest, SearchDefaults, ShardRef, Value, WordsRef,
};
use nearshelf_encoder::Encoder;
use nearshelf_index::{CodedVectors, Links, Numbering, Query, Shard, ShardBuilder};
use nearshelf_lexical::Section;

use crate::error::{Error, Result};
use crate::fragments::fragments;
use crate::items::{Items, TypedField};
use crate::link::{Asked, Vectors, entries, link};
use crate::model::{Model, ModelFiles};
use crate::options::BuildOptions;
use crate::partition::{Partition, partition};
use crate::progress::Progress;
use crate::source::{self as sources, Recipe};
use crate::store::Store;
use crate::vectors::VectorFile;
use crate::words::{WordTexts, words};
use crate::{chance, order, parallel, probe};

/// Items for each query whose answers are linked with each other, and the most such queries.
const ITEMS_PER_QUERY: usize = 2;
const MAX_QUERIES: usize = 40_000;

/// All that the files of a shelf are made of.
pub(crate) struct Making<'a> {
    pub items: &'a Items,
    pub model: &'a Model,
    pub options: &'a BuildOptions,
    pub texts: &'a WordTexts,
    pub recipe: &'a Recipe,
    pub threads: usize,
    pub progress: &'a dyn Progress,
}

/// Items in shards, linked.
pub(crate) struct Arranged {
    pub partition: Partition,
    pub coded: Vectors,
    pub graph: Vec<Links>,
}

impl Making<'_> {
    /// Writes the files of a shelf of the items with these vectors, all but the manifest.
    ///
    /// # Errors
    /// Everything that can be wrong with model, options and disk.
    pub fn make(&self, vectors: &VectorFile, store: &impl Store) -> Result<Manifest> {
        let arranged = self.arranged(vectors)?;
        let search = SearchDefaults {
            probe: 1,
            ef: 1,
            measured: vec![],
            chance: Chance::default(),
        };
        let mut manifest = self.write(arranged, search, store)?;
        self.progress.stage("measuring recall", 0);
        let (queries, texts) = (self.model.queries(), &self.items.texts);
        let threads = self.threads;
        manifest.search = measured(&manifest, store, queries, texts, self.options, threads)?;
        Ok(manifest)
    }

    /// The items in semantic shards, linked.
    fn arranged(&self, vectors: &VectorFile) -> Result<Arranged> {
        let Making {
            items,
            options,
            progress,
            threads,
            ..
        } = *self;
        progress.stage("cutting into shards", 0);
        let source = Source::new(items, vectors.dims());
        let mut partition = source.partition(vectors, options, threads)?;
        let queries = self.model.queries();
        let bridging = bridging_queries(queries, &items.texts, options, threads, progress)?;
        let coded = source.code(vectors, &mut partition, options, threads, progress)?;
        let linking = options.linking(threads, progress);
        let asked = asked(bridging, &partition, &coded);
        let graph = link(&coded, &asked, &linking)?;
        drop(asked);
        Ok(Arranged {
            partition,
            coded,
            graph: graph.into_links(),
        })
    }

    /// Writes the files of items that are arranged, all but the manifest.
    ///
    /// # Errors
    /// Those of the disk, and links that do not fit a shard.
    pub fn write(
        &self,
        arranged: Arranged,
        search: SearchDefaults,
        store: &impl Store,
    ) -> Result<Manifest> {
        let Making {
            items,
            options,
            threads,
            ..
        } = *self;
        self.progress.stage("writing shards", 0);
        let Arranged {
            partition,
            coded,
            graph,
        } = arranged;
        let source = Source::new(items, coded.dims());
        let encoder = write_encoder(&self.model.files, store)?;
        let members = &partition.members;
        let counted = words(items, &options.items, &options.words, self.texts, members)?;
        let words = store.write("words", "nsw", &counted.file)?;
        let sources = sources::write(self.recipe, 0, items, members);
        let sources = store.write("items", "nsi", &sources)?;
        #[rustfmt::skip]
        let parts = Parts { coded, graph, back: None, words: counted.shards };
        let files = source.write(&partition, &parts, 0, store, threads)?;
        drop(parts);
        Ok(Manifest {
            built_by: env!("CARGO_PKG_VERSION").into(),
            seed: options.seed,
            dims: source.dims as u32,
            id_field: options.items.id.clone(),
            text_fields: text_fields(options),
            fields: source.fields(&items.fields),
            encoder,
            words: Some(words_ref(words, options)),
            shards: source.shard_refs(partition, files, false),
            changes: vec![],
            sources: vec![sources],
            search,
        })
    }
}

/// The search defaults of the finished files.
fn measured(
    manifest: &Manifest,
    store: &impl Store,
    queries: &Encoder,
    texts: &[String],
    options: &BuildOptions,
    threads: usize,
) -> Result<SearchDefaults> {
    let catalog = open_catalog(manifest, |name| store.path(name))?;
    let chosen = probe::choose(&catalog, queries, texts, options, threads)?;
    Ok(SearchDefaults {
        chance: chance::measure(&catalog, queries, texts, options.seed, threads)?,
        ..chosen
    })
}

fn words_ref(file: FileRef, options: &BuildOptions) -> WordsRef {
    let fields = options.items.text.len() as u32;
    WordsRef {
        file,
        fields,
        added: None,
    }
}

fn text_fields(options: &BuildOptions) -> Vec<String> {
    let fields = options.items.text.iter();
    fields.map(|field| field.name.clone()).collect()
}

/// The catalog of a manifest whose files are where `path` says.
pub(crate) fn open_catalog(
    manifest: &Manifest,
    path: impl Fn(&str) -> PathBuf,
) -> Result<Catalog<Bytes>> {
    let map = |file: &FileRef| {
        let path = path(&file.name);
        Bytes::map(&path).map_err(|e| Error::io(&path, e))
    };
    let mut catalog = Catalog::new(manifest.clone());
    if let Some(words) = &manifest.words {
        catalog.attach_words(map(&words.file)?)?;
        if let Some(added) = &words.added {
            catalog.add_words(map(added)?)?;
        }
    }
    for (number, shard) in manifest.shards.iter().enumerate() {
        catalog.attach(number, map(&shard.file)?)?;
    }
    for file in &manifest.changes {
        catalog.apply(file, &map(file)?)?;
    }
    Ok(catalog)
}

/// The queries whose answers are linked, each with the item that it was made of.
pub(crate) fn bridging_queries(
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
pub(crate) fn asked(
    queries: Vec<(usize, Query)>,
    partition: &Partition,
    coded: &Vectors,
) -> Vec<Asked> {
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
pub(crate) struct Parts {
    pub coded: Vectors,
    pub graph: Vec<Links>,
    /// Links to the items from those of shards before them.
    pub back: Option<Vec<Links>>,
    pub words: Vec<Vec<Section>>,
}

/// The material of all shards.
pub(crate) struct Source<'a> {
    pub dims: usize,
    ids: &'a [String],
    kinds: Vec<FieldKind>,
    values: &'a [Vec<Option<Value>>],
}

impl<'a> Source<'a> {
    pub fn new(items: &'a Items, dims: usize) -> Self {
        Source {
            dims,
            ids: &items.ids,
            kinds: items.fields.iter().map(|f| f.kind).collect(),
            values: &items.values,
        }
    }

    pub fn partition(
        &self,
        vectors: &VectorFile,
        options: &BuildOptions,
        threads: usize,
    ) -> Result<Partition> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()?;
        pool.install(|| partition(vectors, options.shard_size, options.seed))
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

    pub fn shard_refs(
        &self,
        partition: Partition,
        files: Vec<ShardFile>,
        added: bool,
    ) -> Vec<ShardRef> {
        let Partition { centroids, members } = partition;
        let shard = |((written, centroid), members): ((ShardFile, Vec<f32>), Vec<u32>)| ShardRef {
            file: written.file,
            front: written.front,
            items: members.len() as u32,
            centroid,
            stats: self.stats(&members),
            added,
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
    pub fn code(
        &self,
        vectors: &VectorFile,
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
            let rows = vectors.gather(members)?;
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

    /// Writes all shards, several at a time, the first as number `first` of the shelf; the result is in their order.
    pub fn write(
        &self,
        partition: &Partition,
        parts: &Parts,
        first: usize,
        store: &impl Store,
        threads: usize,
    ) -> Result<Vec<ShardFile>> {
        parallel::map(partition.members.len(), threads, |number| {
            let vectors = &parts.coded.shards()[number];
            let back = parts.back.as_ref().map(|back| &back[number]);
            let entries = match back {
                None => entries(vectors.len(), parts.coded.len()),
                // Older items lead to these.
                Some(_) => 1,
            };
            let error = |source| Error::Shard {
                shard: first + number,
                source,
            };
            let shard = ShardBuilder::new(vectors, &parts.graph[number], back, entries);
            let mut shard = shard.map_err(error)?;
            let items = partition.members[number].iter().map(|&i| i as usize);
            let (ids, values): (Vec<&str>, Vec<&[Option<Value>]>) = items
                .map(|i| (self.ids[i].as_str(), self.values[i].as_slice()))
                .unzip();
            for (kind, index, bytes) in &parts.words[number] {
                shard.section(*kind, *index, bytes.clone());
            }
            Columns::write(&mut shard, &ids, &self.kinds, &values)?;
            let bytes = shard.to_bytes();
            let file = store.write(&format!("shard-{:04}", first + number), "nss", &bytes)?;
            let front = match parts.words[number].is_empty() {
                true => None,
                false => {
                    let front = Shard::open(&bytes[..]).map_err(error)?.front();
                    let packed = compress_to_vec_zlib(&bytes[..front], PACKING);
                    let stem = format!("front-{:04}", first + number);
                    let file = store.write(&stem, "nsf", &packed)?;
                    let bytes = front as u64;
                    Some(FrontRef { file, bytes })
                }
            };
            Ok(ShardFile { file, front })
        })
    }
}

/// The level of zlib that fronts of shards are packed with.
const PACKING: u8 = 9;

/// A shard as it was written.
pub(crate) struct ShardFile {
    file: FileRef,
    front: Option<FrontRef>,
}

/// Puts the encoder's files into the shelf under names of their content.
fn write_encoder(files: &ModelFiles, store: &impl Store) -> Result<EncoderFiles> {
    Ok(match files {
        ModelFiles::Network(bytes) => EncoderFiles::Network(store.write("encoder", "nsn", bytes)?),
        #[cfg(feature = "onnx")]
        ModelFiles::Onnx {
            config,
            model,
            tokenizer,
        } => EncoderFiles::Onnx {
            config: store.write("encoder", "json", config)?,
            model: store.write("model", "onnx", model)?,
            tokenizer: store.write("tokenizer", "json", tokenizer)?,
        },
    })
}
