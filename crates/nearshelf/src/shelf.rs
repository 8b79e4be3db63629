//! A shelf: a catalog and the encoder for its queries.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use nearshelf_catalog::{
    Catalog, Corrected, Error as CatalogError, Facet, FileRef, MANIFEST_NAME, Manifest, Matches,
    Mode, Overlay, Query, Recommend, SearchOptions, SearchStats, Stored, Suggestion, Target,
    ValueRef, WordQuery,
};
use nearshelf_container::{Bytes, FileKind, Ranges};
use nearshelf_encoder::{Encoded, Encoder};

use crate::encoder_files::AttachedFiles;
use crate::error::{Error, Result};

/// A hit in a [`Shelf`].
pub type Hit<'a> = nearshelf_catalog::Hit<'a, Stored>;
/// The hits of a search by vector, and its cost.
pub type Found<'a> = nearshelf_catalog::Found<'a, Stored>;

/// A catalog that answers queries. `Send + Sync`: threads can share one.
#[derive(Debug)]
pub struct Shelf {
    catalog: Catalog<Stored>,
    manifest_bytes: Arc<[u8]>,
    files: AttachedFiles,
    encoder: OnceLock<Loaded>,
}

struct Loaded(Arc<Encoder>);

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0.config())
    }
}

/// The answer to a query.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The hits, best first.
    pub hits: Vec<Hit<'a>>,
    /// Cost and coverage.
    pub stats: SearchStats,
    /// Tokens of the query that were encoded; 0 where the query is no text.
    pub tokens: usize,
    /// Tokens of the whole query: more when it was truncated.
    pub untruncated: usize,
    /// Tokens that stand for something that the encoder does not know; where these are all, the meaning is chance.
    pub unknown: usize,
    /// The words that were looked for; `None` where meaning alone was compared.
    pub words: Option<WordQuery>,
    /// The items that match the query, where they had to be known: for facets, an order by fields, or without a query.
    pub matches: Option<Matches>,
    /// The facets that were asked for.
    pub facets: Vec<Facet>,
    shelf: &'a Shelf,
}

/// The reasons of a hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why<'a> {
    /// The display fields that hold words of the query, each with their places: bytes of the field's text, in rising order.
    pub fields: Vec<(&'a str, Vec<Range<usize>>)>,
}

/// A section of a shard, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionSize {
    /// Its kind, in four letters; `FORMAT.md` explains them.
    pub kind: String,
    /// Which of several of its kind.
    pub index: u32,
    /// Its bytes.
    pub bytes: usize,
}

/// A file of a directory, mapped.
#[cfg(not(target_arch = "wasm32"))]
fn map(directory: &std::path::Path, name: &str) -> Result<Bytes> {
    let path = directory.join(name);
    Bytes::map(&path).map_err(|source| Error::from(CatalogError::Io { path, source }))
}

impl Shelf {
    /// Opens the shelf in a directory: maps its files and checks headers, lengths and sizes. Nothing
    /// is read through; the encoder is loaded by the first query, or by [`Shelf::encoder`].
    ///
    /// # Errors
    /// A file that is missing, of another length than the manifest says, damaged in its header, or
    /// newer than this build.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn open(directory: impl AsRef<std::path::Path>) -> Result<Self> {
        let map = |name: &str| map(directory.as_ref(), name);
        let manifest = map(MANIFEST_NAME)?;
        Self::from_files(manifest.as_ref(), |file| map(&file.name))
    }

    /// Opens a shelf whose bytes come from elsewhere: `read` is asked for each file of the manifest.
    ///
    /// # Errors
    /// Those of `read`, and of [`Shelf::open`].
    pub fn from_files(
        manifest: &[u8],
        mut read: impl FnMut(&FileRef) -> Result<Bytes>,
    ) -> Result<Self> {
        let mut shelf = Self::from_manifest(manifest)?;
        let files: Vec<FileRef> = shelf.manifest().files().cloned().collect();
        for file in files {
            shelf.attach(&file.name, read(&file)?, false)?;
        }
        Ok(shelf)
    }

    /// A shelf of which nothing but the manifest is there yet: [`Shelf::attach`] gives it the encoder's
    /// files, without which it takes no texts, and shards, in any order. What is there is searched;
    /// [`SearchStats::missing`] tells what was not.
    ///
    /// # Errors
    /// A manifest that is damaged, or newer than this build.
    pub fn from_manifest(manifest: &[u8]) -> Result<Self> {
        Ok(Shelf {
            catalog: Catalog::new(Manifest::from_bytes(MANIFEST_NAME, manifest)?),
            manifest_bytes: manifest.into(),
            files: AttachedFiles::default(),
            encoder: OnceLock::new(),
        })
    }

    /// Gives the shelf one of its files. `checked` says that the caller compared the bytes with the
    /// manifest's digest, such as with WebCrypto, which is faster at it than code in wasm.
    ///
    /// # Errors
    /// A name that the manifest does not have, bytes of another length, a shard that is damaged.
    pub fn attach(&mut self, name: &str, bytes: Bytes, checked: bool) -> Result<()> {
        if let Some(number) = self.shard_number(name) {
            return Ok(self.catalog.attach(number, bytes.into())?);
        }
        let words = self.manifest().words.as_ref();
        if words.is_some_and(|words| words.file.name == name) {
            return Ok(self.catalog.attach_words(bytes)?);
        }
        let added = words.and_then(|words| words.added.as_ref());
        if let Some(file) = added.filter(|added| added.name == name).cloned() {
            self.catalog.add_words(bytes.clone())?;
            self.files.insert(&file, bytes, checked);
            return Ok(());
        }
        let changes = &self.manifest().changes;
        if let Some(file) = changes.iter().find(|file| file.name == name).cloned() {
            self.catalog.apply(&file, &bytes)?;
            self.files.insert(&file, bytes, checked);
            return Ok(());
        }
        let manifest = self.catalog.manifest();
        let files = manifest.encoder.files();
        let Some(file) = files.into_iter().find(|file| file.name == name) else {
            return Err(Error::Unknown { file: name.into() });
        };
        file.check_length(bytes.len() as u64)?;
        self.files.insert(file, bytes, checked);
        Ok(())
    }

    /// Gives the shelf the head of a shard, whose other bytes come by range: [`Shelf::fetches`] says which are
    /// needed, [`Shelf::add_range`] takes them. `first` are the first bytes of the file, as many as the manifest
    /// says that the head has, or more: whole blocks behind the head are taken as well. With the first
    /// [`FrontRef::bytes`](nearshelf_catalog::FrontRef::bytes), the shard is searched by words.
    ///
    /// # Errors
    /// A name that is no shard's, a head that is not the manifest's, a block or a shard that is damaged.
    pub fn attach_head(&mut self, name: &str, first: &[u8]) -> Result<()> {
        let number = self.shard_number(name);
        let number = number.ok_or_else(|| Error::Unknown { file: name.into() })?;
        let file = &self.manifest().shards[number].file;
        file.verify_head(first)?;
        let length = usize::try_from(file.bytes).unwrap_or(usize::MAX);
        let ranges = Ranges::new(FileKind::Shard, length, first);
        let ranges = ranges.map_err(|source| CatalogError::File {
            file: name.to_owned(),
            source,
        })?;
        Ok(self.catalog.attach(number, Stored::Ranges(ranges))?)
    }

    /// The ranges of a shard that have to be fetched before `range` of it can be read, in rising order: whole
    /// blocks, so that each can be verified.
    pub fn fetches(&self, shard: usize, range: Range<usize>) -> Vec<Range<usize>> {
        self.catalog.fetches(shard, range)
    }

    /// Adds a range of a shard whose head was attached.
    ///
    /// # Errors
    /// Fewer or more bytes than the range has, or other bytes than the file's; the range can then be fetched again.
    pub fn add_range(&mut self, shard: usize, range: Range<usize>, bytes: Vec<u8>) -> Result<()> {
        Ok(self.catalog.add_range(shard, range, bytes)?)
    }

    /// Lays news of items over the shelf, such as live prices and stock: by id, the fields with their new values, or `None` for an
    /// item that is sold out for good. They stand above the shelf's own and are in no file.
    ///
    /// ```no_run
    /// # let mut shelf = nearshelf::Shelf::open("shelf")?;
    /// use nearshelf::{Overlay, Value};
    /// let news = Overlay::default().with("sku-1", "price", Value::Number(99.0)).without("sku-2");
    /// shelf.overlay(&news)?;
    /// # Ok::<(), nearshelf::Error>(())
    /// ```
    ///
    /// # Errors
    /// A field that the shelf does not have, or a value of another type than its field's. Nothing is laid over then.
    pub fn overlay(&mut self, news: &Overlay) -> Result<()> {
        Ok(self.catalog.overlay(news)?)
    }

    /// The shelf as another manifest describes it, such as that of an update. Files that both have are shared, the encoder with
    /// them, and news stay laid over; `read` is asked for the others, and may give `None` for a shard, which can be attached
    /// later. This shelf stays as it is: searches that are at work end with what they began with.
    ///
    /// # Errors
    /// A manifest that is damaged, those of `read`, and of [`Shelf::open`].
    pub fn next(
        &self,
        manifest: &[u8],
        mut read: impl FnMut(&FileRef) -> Result<Option<Bytes>>,
    ) -> Result<Self> {
        let mut next = Self::from_manifest(manifest)?;
        next.share(self);
        let wanted: Vec<FileRef> = next.manifest().files().cloned().collect();
        for file in &wanted {
            if next.has_file(&file.name) {
                continue;
            }
            if let Some(bytes) = read(file)? {
                next.attach(&file.name, bytes, false)?;
            }
        }
        Ok(next)
    }

    /// The same of a directory: what an update made of the shelf there.
    ///
    /// # Errors
    /// Those of [`Shelf::next`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn reopen(&self, directory: impl AsRef<std::path::Path>) -> Result<Self> {
        let map = |name: &str| map(directory.as_ref(), name);
        let manifest = map(MANIFEST_NAME)?;
        self.next(manifest.as_ref(), |file| map(&file.name).map(Some))
    }

    /// Another shelf of the same files, which are shared: for [`Shelf::overlay`] beside searches of this one.
    ///
    /// # Errors
    /// None but those of files that changed since they were opened.
    pub fn fork(&self) -> Result<Self> {
        let mut fork = Self::from_manifest(&self.manifest_bytes)?;
        fork.share(self);
        Ok(fork)
    }

    /// Attaches what another shelf has of the same files, and takes over its news. Both can be used afterwards.
    pub fn share(&mut self, other: &Self) {
        self.catalog.share(&other.catalog);
        let (own, others) = (self.manifest().clone(), other.manifest());
        for file in own.encoder.files() {
            self.files.share(file, &other.files);
        }
        if let (true, Some(encoder)) = (own.encoder == others.encoder, other.encoder.get()) {
            // Nobody has asked for it yet.
            let _ = self.encoder.set(Loaded(encoder.0.clone()));
        }
        // Changes stand above those before them: only what both begin with.
        let changes = own.changes.iter().zip(&others.changes);
        let changes = changes.take_while(|(own, other)| own == other);
        let added = own.words.iter().flat_map(|words| &words.added);
        for file in added.chain(changes.map(|(own, _)| own)) {
            if let Some(bytes) = other.files.bytes(file) {
                // What was opened once is opened again, or comes anew.
                let _ = self.attach(&file.name, bytes, true);
            }
        }
        // Once, and above all that was shared.
        self.catalog.share_news(&other.catalog);
    }

    /// Whether a file of the manifest is here.
    pub fn has_file(&self, name: &str) -> bool {
        self.catalog.has(name) || self.files.has(name)
    }

    fn shard_number(&self, name: &str) -> Option<usize> {
        let shards = &self.catalog.manifest().shards;
        shards.iter().position(|shard| shard.file.name == name)
    }

    /// The description of the shelf's files, fields and search.
    pub fn manifest(&self) -> &Manifest {
        self.catalog.manifest()
    }

    /// Items in the attached shards that are not gone.
    pub fn len(&self) -> usize {
        self.catalog.len()
    }

    /// Items of the shelf that are not gone, attached or not; right once the files of changes are attached.
    pub fn total(&self) -> usize {
        let shards = 0..self.manifest().shards.len();
        shards.map(|shard| self.catalog.living_items(shard)).sum()
    }

    /// Whether no item can be found.
    pub fn is_empty(&self) -> bool {
        self.catalog.is_empty()
    }

    /// The sections of a shard; none where it is not attached.
    pub fn sections(&self, shard: usize) -> Vec<SectionSize> {
        let shard = self.catalog.shard(shard);
        let sections = shard.map(|shard| shard.head().sections());
        let size = |section: &nearshelf_container::Section| SectionSize {
            kind: section.kind.to_string(),
            index: section.index,
            bytes: section.range.len(),
        };
        sections.into_iter().flatten().map(size).collect()
    }

    /// All items of the attached shards that are not gone: id, shard and place. An id that is not here is empty.
    pub fn items(&self) -> impl Iterator<Item = (&str, u32, u32)> {
        self.catalog.items()
    }

    /// The value of a field of the item at this place, as a [`Hit`] tells it; `None` where the item has none, the
    /// shelf no such field, or the value is not here.
    pub fn value(&self, shard: u32, item: u32, field: &str) -> Option<ValueRef<'_>> {
        let fields = &self.manifest().fields;
        let field = fields.iter().position(|f| f.name == field)?;
        let value = self.catalog.value(shard, field, item);
        value.unwrap_or_default()
    }

    /// The item with an id, among the attached shards: a hit without a score.
    ///
    /// # Errors
    /// Ids of a shard are not here.
    pub fn get(&self, id: &str) -> Result<Option<Hit<'_>>> {
        Ok(self.catalog.get(id)?)
    }

    /// The vector of the item with an id, as its codes have it, among the attached shards.
    ///
    /// # Errors
    /// Ids or codes of a shard are not here.
    pub fn vector(&self, id: &str) -> Result<Option<Vec<f32>>> {
        Ok(match self.catalog.find(id)? {
            Some((shard, item)) => self.catalog.vector(shard, item)?,
            None => None,
        })
    }

    /// The query encoder, loaded now if it was not.
    ///
    /// # Errors
    /// Files that do not fit one another or the shelf.
    pub fn encoder(&self) -> Result<&Encoder> {
        if let Some(loaded) = self.encoder.get() {
            return Ok(&loaded.0);
        }
        let encoder = self.files.encoder(self.manifest())?;
        // Another thread may have been faster; its encoder is as good.
        Ok(&self.encoder.get_or_init(|| Loaded(Arc::new(encoder))).0)
    }

    /// Lets go of the encoder's files once the encoder is loaded: weights of 4 bits are not read in place, and their file is memory
    /// that nothing needs. [`Shelf::verify`] misses them afterwards.
    ///
    /// # Errors
    /// Those of [`Shelf::encoder`].
    pub fn release_encoder_files(&mut self) -> Result<()> {
        self.encoder()?;
        for file in self.manifest().encoder.clone().files() {
            self.files.release(file);
        }
        Ok(())
    }

    /// The best `k` items for a text, by its words and its meaning, with the shelf's own defaults.
    ///
    /// # Errors
    /// Those of [`Shelf::search_with`].
    pub fn search(&self, query: &str, k: usize) -> Result<Answer<'_>> {
        let options = SearchOptions {
            k,
            ..Default::default()
        };
        self.search_with(query, &options)
    }

    /// The best items for a query: for a text, those that share its words, those nearest to its meaning, or both in one ranking
    /// ([`SearchOptions::mode`]); those nearest to a vector; those like an item, or that fit several. A text of nothing but
    /// white space is a query for all items; one longer than the encoder reads is truncated, which [`Answer::truncated`]
    /// tells.
    ///
    /// ```no_run
    /// # let shelf = nearshelf::Shelf::open("shelf")?;
    /// use nearshelf::SearchOptions;
    /// let options = SearchOptions {
    ///     k: 5,
    ///     filter: Some("price < 50 AND in_stock = true".parse()?),
    ///     facets: vec!["brand:5".parse()?],
    ///     ..Default::default()
    /// };
    /// let answer = shelf.search_with("blue shirt", &options)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Shelf::encoder`], and of encoding; a vector of other dimensions than the shelf's, or that is not
    /// finite; ids of items that the attached shards do not hold; options that ask for what the shelf does not have.
    pub fn search_with<'q>(
        &self,
        query: impl Into<Query<'q>>,
        options: &SearchOptions,
    ) -> Result<Answer<'_>> {
        let (target, [tokens, untruncated, unknown]) = self.resolve(&query.into(), options)?;
        let found = self.catalog.search(&target, options)?;
        Ok(Answer {
            hits: found.hits,
            stats: found.stats,
            tokens,
            untruncated,
            unknown,
            words: found.words,
            matches: found.matches,
            facets: found.facets,
            shelf: self,
        })
    }

    /// Items that are like one, by its own vector and words. It is no hit itself.
    ///
    /// # Errors
    /// An id that the attached shards do not hold; options that ask for what the shelf does not have.
    pub fn similar(&self, id: &str, options: &SearchOptions) -> Result<Answer<'_>> {
        self.search_with(Query::Similar(id), options)
    }

    /// Items that fit what somebody liked: several interests are kept apart, and what was liked or not is no hit.
    ///
    /// ```no_run
    /// # let shelf = nearshelf::Shelf::open("shelf")?;
    /// use nearshelf::{Recommend, SearchOptions};
    /// let looked_at = Recommend { like: &["sku-1", "sku-2"], ..Default::default() };
    /// let answer = shelf.recommend(&looked_at, &SearchOptions { diversity: 0.3, ..Default::default() })?;
    /// # Ok::<(), nearshelf::Error>(())
    /// ```
    ///
    /// # Errors
    /// Ids of items that the attached shards do not hold; nothing that is liked, and no text; weights of another number;
    /// options that ask for what the shelf does not have.
    pub fn recommend(&self, asked: &Recommend<'_>, options: &SearchOptions) -> Result<Answer<'_>> {
        self.search_with(Query::Recommend(*asked), options)
    }

    /// The best items for a query whose text was encoded already, or needs no encoder: what [`Shelf::search_with`] does
    /// then. Where the options' mode asks for words or meaning alone, the other is not looked at.
    ///
    /// # Errors
    /// Those of [`Shelf::search_with`]; nothing of what the mode asks for.
    pub fn search_encoded(
        &self,
        query: &Query<'_>,
        vector: Option<&[f32]>,
        options: &SearchOptions,
    ) -> Result<Found<'_>> {
        let words = self.words_of(query, options);
        let target = self.target(query, words, vector.map(<[f32]>::to_vec), options)?;
        Ok(self.catalog.search(&target, options)?)
    }

    /// Numbers of the shards that [`Shelf::search_encoded`] would look at and that are not attached, or lack the part that it
    /// reads.
    ///
    /// # Errors
    /// Those of [`Shelf::search_encoded`].
    pub fn missing_encoded(
        &self,
        query: &Query<'_>,
        vector: Option<&[f32]>,
        options: &SearchOptions,
    ) -> Result<Vec<usize>> {
        let words = self.words_of(query, options);
        let target = self.target(query, words, vector.map(<[f32]>::to_vec), options)?;
        Ok(self.catalog.missing(&target, options)?)
    }

    /// The `k` likeliest completions of a text that is being typed: phrases of the catalog, or of the queries that the build
    /// was given.
    pub fn suggest(&self, text: &str, k: usize) -> Vec<Suggestion> {
        let words = self.catalog.words();
        words.map_or(vec![], |words| words.suggest(text, k))
    }

    /// The places of a query's words in a text: bytes, in rising order.
    pub fn matches(&self, query: &str, text: &str) -> Vec<Range<usize>> {
        let words = self.catalog.words();
        words.map_or(vec![], |words| {
            words.matches(&words.query(query, false), text)
        })
    }

    /// The reasons of a hit: where the words of a query stand in its fields.
    pub fn why<'h>(&self, words: &WordQuery, hit: &Hit<'h>) -> Why<'h> {
        let places = hit.fields().filter_map(|(name, value)| match value {
            ValueRef::Text(text) => {
                let places = self.catalog.words()?.matches(words, text);
                (!places.is_empty()).then_some((name, places))
            }
            _ => None,
        });
        Why {
            fields: places.collect(),
        }
    }

    /// The vector of a text that is searched for with these options: where words are compared as well, misspelt ones are
    /// read as those that they are taken for.
    ///
    /// # Errors
    /// Those of [`Shelf::encoder`], and of encoding.
    pub fn encode_query(&self, text: &str, options: &SearchOptions) -> Result<Encoded> {
        self.encode_corrected(text, self.words(text, options).as_ref())
    }

    /// The vector of a text, words that were taken for others read as those. A word that the encoder knows as a whole is no
    /// typo: the catalog lacks it, and its meaning counts.
    fn encode_corrected(&self, text: &str, words: Option<&WordQuery>) -> Result<Encoded> {
        let encoder = self.encoder()?;
        // A token of its own, and one before and behind every text.
        let is_typo = |word: &str| encoder.tokenize(word).is_ok_and(|ids| ids.len() > 3);
        let corrected = words.and_then(|words| words.corrected_text(text, is_typo));
        Ok(encoder.encode(corrected.as_deref().unwrap_or(text))?)
    }

    /// The words of a text; `None` where meaning alone is compared.
    fn words(&self, text: &str, options: &SearchOptions) -> Option<WordQuery> {
        let words = self.catalog.words();
        let words = words.filter(|_| options.mode != Mode::Meaning);
        words.map(|words| words.query(text, options.typing))
    }

    /// The words of a query's text; `None` where it has none.
    fn words_of(&self, query: &Query<'_>, options: &SearchOptions) -> Option<WordQuery> {
        query.text().and_then(|text| self.words(text, options))
    }

    /// Where a query goes, and the tokens of its text: encoded, all, unknown.
    fn resolve(&self, query: &Query<'_>, options: &SearchOptions) -> Result<(Target, [usize; 3])> {
        let words = self.words_of(query, options);
        let text = query.text().filter(|_| options.mode != Mode::Words);
        let encoded = text.map(|text| self.encode_corrected(text, words.as_ref()));
        let encoded = encoded.transpose()?;
        let tokens = encoded.as_ref().map_or([0; 3], |encoded| {
            [encoded.tokens, encoded.untruncated, encoded.unknown]
        });
        let vector = encoded.map(|encoded| encoded.vector);
        Ok((self.target(query, words, vector, options)?, tokens))
    }

    /// Where a query goes; `words` and `vector` are those of its text.
    fn target(
        &self,
        query: &Query<'_>,
        words: Option<WordQuery>,
        vector: Option<Vec<f32>>,
        options: &SearchOptions,
    ) -> Result<Target> {
        let vector = vector.filter(|_| options.mode != Mode::Words);
        if query.text().is_some() && words.is_none() && vector.is_none() {
            return Err(match &self.manifest().words {
                Some(words) => Error::Missing {
                    file: words.file.name.clone(),
                },
                None => Error::NoWords,
            });
        }
        Ok(match query {
            Query::Text(_) => Target::new(vector, words),
            Query::Vector(vector) => vector.to_vec().into(),
            Query::Similar(id) => self.catalog.similar(id)?.in_mode(options.mode),
            Query::Recommend(asked) => {
                let target = self.catalog.recommend(asked)?.in_mode(options.mode);
                target.besides(vector, words)
            }
        })
    }

    /// The items nearest to a unit vector, such as one of [`Encoder::encode`].
    ///
    /// # Errors
    /// A vector of other dimensions than the shelf's, or that is not finite.
    pub fn search_vector(&self, vector: &[f32], options: &SearchOptions) -> Result<Found<'_>> {
        Ok(self.catalog.search(&vector.to_vec().into(), options)?)
    }

    /// Compares a query with every item of every attached shard that the filter allows: the truth that searches are measured
    /// against. Of the options, `probe` and `ef` do not count.
    ///
    /// # Errors
    /// Those of [`Shelf::search_with`].
    pub fn search_exact<'q>(
        &self,
        query: impl Into<Query<'q>>,
        options: &SearchOptions,
    ) -> Result<Vec<Hit<'_>>> {
        let (target, _) = self.resolve(&query.into(), options)?;
        Ok(self.catalog.search_exact(&target, options)?.hits)
    }

    /// Numbers of the shards that a search would look at and that are not attached, nearest first.
    ///
    /// # Errors
    /// Those of [`Shelf::search_with`].
    pub fn missing<'q>(
        &self,
        query: impl Into<Query<'q>>,
        options: &SearchOptions,
    ) -> Result<Vec<usize>> {
        let (target, _) = self.resolve(&query.into(), options)?;
        Ok(self.catalog.missing(&target, options)?)
    }

    /// Reads every byte of every file and compares it with what was written.
    ///
    /// # Errors
    /// The first difference.
    pub fn verify(&self) -> Result<()> {
        self.catalog.verify()?;
        self.files.verify(&self.manifest().encoder)?;
        self.encoder().map(|_| ())
    }
}

impl<'a> Answer<'a> {
    /// The reasons of a hit.
    pub fn why(&self, hit: &Hit<'a>) -> Why<'a> {
        match &self.words {
            Some(words) => self.shelf.why(words, hit),
            None => Why { fields: vec![] },
        }
    }

    /// Words of the query that were taken for others of the catalog.
    pub fn corrected(&self) -> &[Corrected] {
        self.words.as_ref().map_or(&[], WordQuery::corrected)
    }

    /// Words that the catalog does not have, nor any like them.
    pub fn unknown_words(&self) -> &[String] {
        self.words.as_ref().map_or(&[], WordQuery::unknown)
    }

    /// Whether nothing fits: there is no hit, or the best is no better than chance.
    pub fn is_weak(&self) -> bool {
        self.hits.first().is_none_or(Hit::is_weak)
    }

    /// Whether the query was longer than the encoder reads.
    pub fn truncated(&self) -> bool {
        self.untruncated > self.tokens
    }
}
