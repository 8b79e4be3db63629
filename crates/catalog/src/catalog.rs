//! A shelf's manifest and shards.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nearshelf_container::{Absent, Bytes, Storage, Stored};
use nearshelf_index::{Allowed, Numbering, Scratch, Shard};
use nearshelf_lexical::{ShardWords, WordSections, Words};

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
    manifest: Manifest,
    numbering: Numbering,
    shards: Vec<Option<Attached<S>>>,
    words: Option<Words>,
    scratch: Mutex<Vec<Scratch>>,
    word_scratch: Mutex<Vec<nearshelf_lexical::Scratch>>,
    sets: Mutex<Sets>,
}

#[derive(Debug)]
struct Attached<S> {
    shard: Shard<S>,
    columns: Columns,
    words: Option<WordSections>,
}

impl<S: Storage> Catalog<S> {
    /// A catalog without its shards.
    pub fn new(manifest: Manifest) -> Self {
        let shards = manifest.shards.iter().map(|_| None).collect();
        Catalog {
            numbering: Numbering::new(manifest.shards.iter().map(|shard| shard.items)),
            manifest,
            shards,
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
        for (place, expected, found) in [
            (
                "record, dimensions",
                self.manifest.dims as usize,
                shard.dims(),
            ),
            ("record, items", expected.items as usize, shard.len()),
        ] {
            if expected != found {
                return Err(Error::Mismatch {
                    file: file.name.clone(),
                    place: place.into(),
                    expected: format!("{expected} (by the manifest)"),
                    found: found.to_string(),
                });
            }
        }
        let kinds: Vec<FieldKind> = self.manifest.fields.iter().map(|f| f.kind).collect();
        let columns = Columns::open(&file.name, &shard, &kinds)?;
        let words = self.manifest.words.as_ref();
        let fields = words.map_or(0, |words| words.fields as usize);
        let words = WordSections::open(shard.head(), shard.len(), fields);
        let words = words.map_err(|source| Error::File {
            file: file.name.clone(),
            source,
        })?;
        self.shards[number] = Some(Attached {
            shard,
            columns,
            words,
        });
        self.sets().forget(number);
        Ok(())
    }

    /// Opens the words that all shards share. Nothing but the file's head is read.
    ///
    /// # Errors
    /// A shelf without words, bytes of another length, a file that is damaged or not the one that the manifest describes.
    pub fn attach_words(&mut self, bytes: Bytes) -> Result<()> {
        let Some(WordsRef { file, fields }) = &self.manifest.words else {
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
        Some(&self.shards.get(number)?.as_ref()?.shard)
    }

    /// Items in the attached shards.
    pub fn len(&self) -> usize {
        self.shards.iter().flatten().map(|s| s.shard.len()).sum()
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
        for (number, attached) in self.shards.iter().enumerate() {
            let Some(Attached { shard, .. }) = attached else {
                continue;
            };
            let found = ids::find(shard, id).map_err(|e| self.absent(number, e))?;
            if let Some(item) = found {
                return Ok(Some((number as u32, item)));
            }
        }
        Ok(None)
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
        match self.attached(shard) {
            Some(Attached { shard, .. }) => ids::id(shard, item),
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
        match self.attached(shard) {
            Some(Attached { shard, columns, .. }) => columns.value(shard, field, item),
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
        }
        for (expected, attached) in self.manifest.shards.iter().zip(&self.shards) {
            let Some(Attached { shard, columns, .. }) = attached else {
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
        for item in 0..shard.len() {
            for number in links.numbers(item) {
                let leads = self.numbering.place(number).is_some_and(|(shard, item)| {
                    let to = self.manifest.shards.get(shard);
                    to.is_some_and(|to| item < to.items)
                });
                if !leads {
                    let place = format!("section LINK 0, item {item}");
                    let expected = "links to the shelf's items";
                    return Err(nearshelf_container::Error::value(place, expected, number));
                }
            }
        }
        Ok(())
    }

    /// A shard with its columns, when it is attached.
    pub(crate) fn columns_of(&self, number: usize) -> Option<(&Shard<S>, &Columns)> {
        let attached = self.shards.get(number)?.as_ref()?;
        Some((&attached.shard, &attached.columns))
    }

    /// The numbers that links name the items of all shards by.
    pub(crate) fn numbering(&self) -> &Numbering {
        &self.numbering
    }

    /// The words of a shard; `None` where it is not attached, or has none.
    ///
    /// # Errors
    /// Its words are not here.
    pub(crate) fn words_of(&self, number: usize) -> Result<Option<ShardWords<'_, S>>, Absent> {
        let attached = self.shards.get(number).and_then(Option::as_ref);
        let Some((attached, words)) = attached.and_then(|a| Some((a, a.words.as_ref()?))) else {
            return Ok(None);
        };
        words.read(attached.shard.storage()).map(Some)
    }

    /// The number of shards that are attached.
    pub(crate) fn attached_shards(&self) -> usize {
        self.shards.iter().flatten().count()
    }

    fn attached(&self, shard: u32) -> Option<&Attached<S>> {
        self.shards.get(shard as usize)?.as_ref()
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
        let Some(Attached { shard, columns, .. }) =
            self.shards.get(number).and_then(Option::as_ref)
        else {
            return Ok(None);
        };
        if let Some(set) = self.sets().get(filter, number) {
            return Ok(Some(set));
        }
        let set = Arc::new(filter.allowed(shard, columns)?);
        self.sets().put(filter, number, set.clone());
        Ok(Some(set))
    }

    fn sets(&self) -> MutexGuard<'_, Sets> {
        // Sets are put in whole: what a panic left behind is as good as before.
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
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
        let attached = self.shards.get_mut(number).and_then(Option::as_mut);
        let Some(Stored::Ranges(ranges)) = attached.map(|a| a.shard.storage_mut()) else {
            return Err(unknown_shard(&self.manifest, number));
        };
        ranges.add(range, bytes).map_err(|source| Error::File {
            file: self.manifest.shards[number].file.name.clone(),
            source,
        })
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
