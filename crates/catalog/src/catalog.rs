//! A shelf's manifest and shards.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use nearshelf_container::{Absent, Bytes, Storage, Stored};
use nearshelf_index::{Added, Allowed, Numbering, Scratch, Shard, Slices};
use nearshelf_lexical::{ShardWords, WordSections, Words};

use crate::changes::Session;
use crate::columns::{Columns, FieldKind, ValueRef};
use crate::error::{Error, Result};
use crate::filter::{Node, Sets};
use crate::ids;
use crate::manifest::{MANIFEST_NAME, Manifest, WordsRef};

/// A shelf's manifest and shards. Shards can be attached one by one; what is there is searched.
///
/// `Send + Sync` where `S` is: threads share one catalog.
#[derive(Debug)]
pub struct Catalog<S> {
    pub(crate) manifest: Manifest,
    numbering: Numbering,
    pub(crate) parts: Vec<Part<S>>,
    /// Links to items that were added; made by the first search.
    added: OnceLock<Option<Added>>,
    /// News that are in no file, by id.
    pub(crate) session: Session,
    words: Option<Words>,
    scratch: Mutex<Vec<Scratch>>,
    word_scratch: Mutex<Vec<nearshelf_lexical::Scratch>>,
    sets: Mutex<Sets>,
}

/// A shard, as far as it is known.
#[derive(Debug)]
pub(crate) struct Part<S> {
    pub attached: Option<Attached<S>>,
    pub columns: Columns,
    /// Items that are not gone; `None` where no item of the shelf is.
    pub living: Option<Arc<Allowed>>,
}

#[derive(Debug)]
pub(crate) struct Attached<S> {
    shard: Shard<S>,
    words: Option<WordSections>,
}

impl<S: Storage> Catalog<S> {
    /// A catalog without its shards.
    pub fn new(manifest: Manifest) -> Self {
        let kinds: Vec<FieldKind> = manifest.fields.iter().map(|f| f.kind).collect();
        let part = || Part {
            attached: None,
            columns: Columns::new(&kinds),
            living: None,
        };
        let parts = manifest.shards.iter().map(|_| part()).collect();
        Catalog {
            numbering: Numbering::new(manifest.shards.iter().map(|shard| shard.items)),
            manifest,
            parts,
            added: OnceLock::new(),
            session: Session::default(),
            words: None,
            scratch: Mutex::default(),
            word_scratch: Mutex::default(),
            sets: Mutex::default(),
        }
    }

    /// Opens a shard from where its bytes are. Nothing but its head is read; where the bytes come from a
    /// place that is not trusted, [`crate::FileRef::verify`] compares them with the manifest first.
    ///
    /// # Errors
    /// A number that the manifest does not have, bytes of another length, a shard that is damaged or
    /// not the one that the manifest describes.
    pub fn attach(&mut self, number: usize, storage: S) -> Result<()> {
        let Some(expected) = self.manifest.shards.get(number) else {
            return Err(unknown_shard(&self.manifest, number));
        };
        let file = &expected.file;
        file.check_length(storage.length() as u64)?;
        let shard = Shard::open(storage).map_err(|source| Error::File {
            file: file.name.clone(),
            source,
        })?;
        let front = expected.front.iter().map(|front| {
            let place = "end of the words and fields";
            (place, front.bytes, shard.front() as u64)
        });
        let (dims, items) = (shard.dims() as u64, shard.len() as u64);
        let stated = [
            ("record, dimensions", self.manifest.dims.into(), dims),
            ("record, items", expected.items.into(), items),
        ];
        for (place, expected, found) in stated.into_iter().chain(front) {
            if expected != found {
                return Err(Error::Mismatch {
                    file: file.name.clone(),
                    place: place.into(),
                    expected: format!("{expected} (by the manifest)"),
                    found: found.to_string(),
                });
            }
        }
        self.parts[number].columns.check(&file.name, &shard)?;
        let words = self.manifest.words.as_ref();
        let fields = words.map_or(0, |words| words.fields as usize);
        let words = WordSections::open(shard.head(), shard.len(), fields);
        let words = words.map_err(|source| Error::File {
            file: file.name.clone(),
            source,
        })?;
        self.parts[number].attached = Some(Attached { shard, words });
        self.has_come(number);
        Ok(())
    }

    /// Follows up on a shard, or a part of one, that has come.
    fn has_come(&mut self, number: usize) {
        if self.manifest.shards[number].added {
            self.added = OnceLock::new();
        }
        self.settle(number);
        self.sets().forget(number);
    }

    /// Opens the words that all shards share. Nothing but the file's head is read.
    ///
    /// # Errors
    /// A shelf without words, bytes of another length, a file that is damaged or not the one that the manifest describes.
    pub fn attach_words(&mut self, bytes: Bytes) -> Result<()> {
        let Some(WordsRef { file, fields, .. }) = &self.manifest.words else {
            return Err(Error::Mismatch {
                file: MANIFEST_NAME.into(),
                place: "words".into(),
                expected: "a shelf with words".into(),
                found: "one without".into(),
            });
        };
        file.check_length(bytes.len() as u64)?;
        let words = Words::open(bytes).map_err(|source| Error::File {
            file: file.name.clone(),
            source,
        })?;
        if words.fields().count() != *fields as usize {
            return Err(Error::Mismatch {
                file: file.name.clone(),
                place: "record, fields".into(),
                expected: format!("{fields} (by the manifest)"),
                found: words.fields().count().to_string(),
            });
        }
        self.words = Some(words);
        Ok(())
    }

    /// Opens the words that updates added, behind those of the build. Nothing but the file's head is read.
    ///
    /// # Errors
    /// A shelf without such words, or whose own words are not attached yet; bytes of another length, a file that is damaged.
    pub fn add_words(&mut self, bytes: Bytes) -> Result<()> {
        let described = self.manifest.words.as_ref();
        let file = described.and_then(|words| words.added.as_ref());
        let (Some(file), Some(words)) = (file, &mut self.words) else {
            return Err(Error::Mismatch {
                file: MANIFEST_NAME.into(),
                place: "words".into(),
                expected: "words that were added, behind those of the build".into(),
                found: "others".into(),
            });
        };
        file.check_length(bytes.len() as u64)?;
        words.add(bytes).map_err(|source| Error::File {
            file: file.name.clone(),
            source,
        })
    }

    /// The words that all shards share, when they are attached.
    pub fn words(&self) -> Option<&Words> {
        self.words.as_ref()
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// A shard, when it is attached.
    pub fn shard(&self, number: usize) -> Option<&Shard<S>> {
        Some(&self.attached(number)?.shard)
    }

    /// Items in the attached shards that are not gone.
    pub fn len(&self) -> usize {
        let attached = (0..self.parts.len()).filter(|&number| self.shard(number).is_some());
        attached.map(|number| self.living_items(number)).sum()
    }

    /// Whether no item can be found.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The shard and the place in it of the item with this id, among the attached shards.
    ///
    /// # Errors
    /// Ids of a shard are not here.
    pub fn find(&self, id: &str) -> Result<Option<(u32, u32)>> {
        for number in 0..self.parts.len() {
            let Some(shard) = self.shard(number) else {
                continue;
            };
            let found = ids::find(shard, id).map_err(|e| self.absent(number, e))?;
            // One that was made anew is gone where it was before.
            if let Some(item) = found.filter(|&item| self.lives(number, item)) {
                return Ok(Some((number as u32, item)));
            }
        }
        Ok(None)
    }

    /// All items of the attached shards that are not gone: id, shard and place. An id that is not here is empty.
    pub fn items(&self) -> impl Iterator<Item = (&str, u32, u32)> {
        (0..self.parts.len()).flat_map(move |number| {
            let items = self.shard(number).map_or(0, Shard::len) as u32;
            let living = (0..items).filter(move |&item| self.lives(number, item));
            living.map(move |item| {
                let id = self.id(number as u32, item).unwrap_or_default();
                (id.unwrap_or_default(), number as u32, item)
            })
        })
    }

    /// The vector of an item as its codes have it; `None` where its shard is not attached.
    ///
    /// # Errors
    /// The item's codes are not here.
    pub fn vector(&self, shard: u32, item: u32) -> Result<Option<Vec<f32>>> {
        let number = shard as usize;
        let vector = self.shard(number).map(|shard| shard.vector(item as usize));
        let vector = vector.transpose().map_err(|e| self.absent(number, e))?;
        Ok(vector.flatten())
    }

    /// The id of an item, by shard and place.
    ///
    /// # Errors
    /// The id is not here.
    pub fn id(&self, shard: u32, item: u32) -> Result<Option<&str>, Absent> {
        match self.shard(shard as usize) {
            Some(shard) => ids::id(shard, item),
            None => Ok(None),
        }
    }

    /// The value of field number `field` of an item; `None` where it has none.
    ///
    /// # Errors
    /// The value is not here.
    pub fn value(
        &self,
        shard: u32,
        field: usize,
        item: u32,
    ) -> Result<Option<ValueRef<'_>>, Absent> {
        match self.columns_of(shard as usize) {
            Some((shard, columns)) => columns.value(shard, field, item),
            None => Ok(None),
        }
    }

    /// Reads all attached shards through: digests, checksums, links, fields.
    ///
    /// # Errors
    /// The first thing that is not as it was written, or not here.
    pub fn verify(&self) -> Result<()> {
        if let (Some(words), Some(described)) = (&self.words, &self.manifest.words) {
            let file = &described.file;
            words.verify().map_err(|source| Error::File {
                file: file.name.clone(),
                source,
            })?;
            file.verify(words.bytes())?;
            if let Some((bytes, file)) = words.added_bytes().zip(described.added.as_ref()) {
                words.verify_added().map_err(|source| Error::File {
                    file: file.name.clone(),
                    source,
                })?;
                file.verify(bytes)?;
            }
        }
        for (number, expected) in self.manifest.shards.iter().enumerate() {
            let Some((shard, columns)) = self.columns_of(number) else {
                continue;
            };
            let file = &expected.file;
            let error = |source| Error::File {
                file: file.name.clone(),
                source,
            };
            // The shard's own checksums first: they say where.
            shard.verify().map_err(error)?;
            let whole = shard.storage().read(0..shard.storage().length());
            file.verify(whole.map_err(|absent| error(absent.into()))?)?;
            columns.verify(&file.name, shard)?;
            self.verify_links(shard).map_err(error)?;
        }
        Ok(())
    }

    /// That every link of a shard leads to an item of the shelf.
    fn verify_links(&self, shard: &Shard<S>) -> nearshelf_container::Result<()> {
        let links = shard.links()?;
        let back = shard.back_links()?;
        for item in 0..shard.len() {
            let back = back.iter().flat_map(|back| back.numbers(item));
            for number in links.numbers(item).chain(back) {
                if self.item(number).is_none() {
                    let place = format!("section LINK 0, item {item}");
                    let expected = "links to the shelf's items";
                    return Err(nearshelf_container::Error::value(place, expected, number));
                }
            }
        }
        Ok(())
    }

    /// The shard and the place in it of a number, where an item of the shelf has it.
    pub(crate) fn item(&self, number: u32) -> Option<(usize, u32)> {
        let (shard, item) = self.numbering.place(number)?;
        (item < self.manifest.shards.get(shard)?.items).then_some((shard, item))
    }

    /// A shard with its columns, when it is attached.
    pub(crate) fn columns_of(&self, number: usize) -> Option<(&Shard<S>, &Columns)> {
        let part = self.parts.get(number)?;
        Some((&part.attached.as_ref()?.shard, &part.columns))
    }

    /// All attached shards as one graph.
    ///
    /// # Errors
    /// Links or codes of a shard are not here.
    pub fn slices(&self) -> Result<Slices<'_>, Absent> {
        let slices = Slices::new(&self.numbering, self.manifest.dims as usize);
        let mut slices = slices.with_added(self.added());
        for number in 0..self.parts.len() {
            if let Some(shard) = self.shard(number) {
                slices.add(number, shard.slice()?);
            }
        }
        Ok(slices)
    }

    /// The numbers that links name the items of all shards by.
    pub fn numbering(&self) -> &Numbering {
        &self.numbering
    }

    /// The words of a shard; `None` where it is not attached, or has none.
    ///
    /// # Errors
    /// Its words are not here.
    pub(crate) fn words_of(&self, number: usize) -> Result<Option<ShardWords<'_, S>>, Absent> {
        let attached = self.attached(number);
        let Some((attached, words)) = attached.and_then(|a| Some((a, a.words.as_ref()?))) else {
            return Ok(None);
        };
        words.read(attached.shard.storage()).map(Some)
    }

    /// The number of shards that are attached.
    pub(crate) fn attached_shards(&self) -> usize {
        let attached = self.parts.iter().filter(|part| part.attached.is_some());
        attached.count()
    }

    fn attached(&self, number: usize) -> Option<&Attached<S>> {
        self.parts.get(number)?.attached.as_ref()
    }

    /// Links to items of the shards that were added and whose links are here; `None` where there are none.
    pub(crate) fn added(&self) -> Option<&Added> {
        let shards = || self.manifest.shards.iter().enumerate();
        let make = || {
            let added = shards().filter(|(_, shard)| shard.added);
            let links = added.filter_map(|(number, _)| {
                let shard = self.shard(number)?;
                Some((number, shard.len(), shard.back_links().ok()??))
            });
            let links: Vec<_> = links.collect();
            (!links.is_empty()).then(|| Added::new(&self.numbering, links.iter().copied()))
        };
        self.added.get_or_init(make).as_ref()
    }

    pub(crate) fn absent(&self, number: usize, absent: Absent) -> Error {
        let file = self.manifest.shards.get(number).map(|s| &s.file.name);
        Error::File {
            file: file.cloned().unwrap_or_default(),
            source: absent.into(),
        }
    }

    /// The items of an attached shard that a filter allows; `None` where it is not attached.
    ///
    /// # Errors
    /// A column that is not here.
    pub(crate) fn allowed(
        &self,
        number: usize,
        filter: &Node,
    ) -> Result<Option<Arc<Allowed>>, Absent> {
        let Some((shard, columns)) = self.columns_of(number) else {
            return Ok(None);
        };
        if let Some(set) = self.sets().get(filter, number) {
            return Ok(Some(set));
        }
        let mut set = filter.allowed(shard, columns)?;
        if let Some(living) = &self.parts[number].living {
            set.intersect(living);
        }
        let set = Arc::new(set);
        self.sets().put(filter, number, set.clone());
        Ok(Some(set))
    }

    fn sets(&self) -> MutexGuard<'_, Sets> {
        // Sets are put in whole: what a panic left behind is as good as before.
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets the sets of all filters, as values or items changed.
    pub(crate) fn forget_sets(&self) {
        *self.sets() = Sets::default();
    }

    pub(crate) fn word_scratch(&self) -> MutexGuard<'_, Vec<nearshelf_lexical::Scratch>> {
        let scratch = self.word_scratch.lock();
        scratch.unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn scratch(&self) -> MutexGuard<'_, Vec<Scratch>> {
        // A scratch that a panic left behind was never put back; the others are as good as before.
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Catalog<S> {
    /// The cosine below which a hit is chance.
    pub(crate) fn cutoff(&self) -> f32 {
        self.manifest.search.chance.best
    }
}

impl Catalog<Stored> {
    /// The ranges that have to be fetched before `range` of a shard that has come in part can be read.
    pub fn fetches(&self, number: usize, range: Range<usize>) -> Vec<Range<usize>> {
        match self.shard(number).map(Shard::storage) {
            Some(Stored::Ranges(ranges)) => ranges.missing(range),
            _ => vec![],
        }
    }

    /// Adds a range to a shard that has come in part.
    ///
    /// # Errors
    /// A shard that is not attached in part; fewer or more bytes than the range has, or other bytes than the
    /// file's. The shard is then as it was before, and the range can be fetched again.
    pub fn add_range(&mut self, number: usize, range: Range<usize>, bytes: Vec<u8>) -> Result<()> {
        let part = self.parts.get_mut(number);
        let attached = part.and_then(|part| part.attached.as_mut());
        let Some(Stored::Ranges(ranges)) = attached.map(|a| a.shard.storage_mut()) else {
            return Err(unknown_shard(&self.manifest, number));
        };
        ranges.add(range, bytes).map_err(|source| Error::File {
            file: self.manifest.shards[number].file.name.clone(),
            source,
        })?;
        self.has_come(number);
        Ok(())
    }
}

fn unknown_shard(manifest: &Manifest, number: usize) -> Error {
    Error::Mismatch {
        file: MANIFEST_NAME.into(),
        place: "shards".into(),
        expected: format!("a shard below {}", manifest.shards.len()),
        found: number.to_string(),
    }
}
