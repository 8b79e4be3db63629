//! Semantic product search where the shopper is.
//!
//! A *shelf* is a directory of immutable files: a catalog's vectors, graphs and items in shards, and
//! the encoder for queries. `nearshelf build` makes it, this crate opens it:
//!
//! ```no_run
//! let shelf = nearshelf::Shelf::open("shelf")?;
//! for hit in shelf.search("something warm for a rainy hike", 10)?.hits {
//!     println!("{:.3} {} {:?}", hit.score, hit.id, hit.field("title"));
//! }
//! # Ok::<(), nearshelf::Error>(())
//! ```

use std::sync::OnceLock;

use nearshelf_catalog::{Catalog, MANIFEST_NAME};

pub use nearshelf_catalog::{
    Bytes, Digest, Error as CatalogError, Field, FieldKind, FileRef, Manifest, ProbeRecall,
    SearchDefaults, SearchOptions, SearchStats, ShardError, ValueRef, sha256,
};
pub use nearshelf_encoder::{
    Encoded, Encoder, EncoderConfig, Error as EncoderError, Fusion, Isa, ModelFiles, Pooling,
};

/// A hit in a [`Shelf`].
pub type Hit<'a> = nearshelf_catalog::Hit<'a, Bytes>;
/// The hits of a search by vector, and what it cost.
pub type Found<'a> = nearshelf_catalog::Found<'a, Bytes>;

/// What can go wrong with a shelf or a search.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The manifest, a shard or a query vector.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The query encoder.
    #[error(transparent)]
    Encoder(#[from] EncoderError),
    /// A file that is needed now was not attached.
    #[error("{file}: expected to be attached before the first query, found nothing")]
    Missing {
        /// The file.
        file: String,
    },
    /// A file that the shelf does not have.
    #[error("{file}: expected a file of the manifest, found none of this name")]
    Unknown {
        /// The name that was asked for.
        file: String,
    },
    /// The encoder's vectors are not those of the shelf.
    #[error("{model}: expected vectors of {shelf} dimensions, as the shelf has, found {found}")]
    Dimensions {
        /// The model's file.
        model: String,
        /// Dimensions of the shelf.
        shelf: usize,
        /// Dimensions of the model.
        found: usize,
    },
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A catalog that answers queries. `Send + Sync`: threads can share one.
#[derive(Debug)]
pub struct Shelf {
    catalog: Catalog<Bytes>,
    /// `encoder.json`, `model.onnx`, `tokenizer.json`.
    files: [Option<Attached>; 3],
    encoder: OnceLock<Loaded>,
}

#[derive(Debug, Clone)]
struct Attached {
    bytes: Bytes,
    /// Whether the bytes were compared with the manifest's digest.
    checked: bool,
}

struct Loaded(Encoder);

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
    /// What the search cost.
    pub stats: SearchStats,
    /// Tokens of the query that were encoded.
    pub tokens: usize,
    /// Tokens of the whole query: more when it was truncated.
    pub untruncated: usize,
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
        let directory = directory.as_ref();
        let map = |name: &str| {
            let path = directory.join(name);
            Bytes::map(&path).map_err(|source| Error::from(CatalogError::Io { path, source }))
        };
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

    /// A shelf of which nothing but the manifest is there yet: [`Shelf::attach`] gives it the encoder's three
    /// files, without which it takes no texts, and shards, in any order. What is there is searched;
    /// [`SearchStats::missing`] tells what was not.
    ///
    /// # Errors
    /// A manifest that is damaged, or newer than this build.
    pub fn from_manifest(manifest: &[u8]) -> Result<Self> {
        Ok(Shelf {
            catalog: Catalog::new(Manifest::from_bytes(MANIFEST_NAME, manifest)?),
            files: [None, None, None],
            encoder: OnceLock::new(),
        })
    }

    /// Gives the shelf one of its files. `checked` says that the caller compared the bytes with the
    /// manifest's digest, say with WebCrypto, which is faster at it than code in wasm.
    ///
    /// # Errors
    /// A name that the manifest does not have, bytes of another length, a shard that is damaged.
    pub fn attach(&mut self, name: &str, bytes: Bytes, checked: bool) -> Result<()> {
        let manifest = self.catalog.manifest();
        if let Some(number) = manifest.shards.iter().position(|s| s.file.name == name) {
            return Ok(self.catalog.attach(number, bytes)?);
        }
        let Some(place) = manifest.encoder.iter().position(|f| f.name == name) else {
            return Err(Error::Unknown { file: name.into() });
        };
        manifest.encoder[place].check_length(bytes.len() as u64)?;
        self.files[place] = Some(Attached { bytes, checked });
        Ok(())
    }

    /// What the shelf is made of.
    pub fn manifest(&self) -> &Manifest {
        self.catalog.manifest()
    }

    /// The catalog, for searches by vector and exact ones.
    pub fn catalog(&self) -> &Catalog<Bytes> {
        &self.catalog
    }

    /// Items in the shelf.
    pub fn len(&self) -> usize {
        self.catalog.len()
    }

    /// Whether the shelf holds nothing.
    pub fn is_empty(&self) -> bool {
        self.catalog.is_empty()
    }

    /// The query encoder, loaded now if it was not.
    ///
    /// # Errors
    /// Files that do not fit one another or the shelf.
    pub fn encoder(&self) -> Result<&Encoder> {
        if let Some(loaded) = self.encoder.get() {
            return Ok(&loaded.0);
        }
        let attached = |place: usize| {
            self.files[place].as_ref().ok_or_else(|| Error::Missing {
                file: self.manifest().encoder[place].name.clone(),
            })
        };
        let (config, model, tokenizer) = (attached(0)?, attached(1)?, attached(2)?);
        // Digests that were compared need not be again, where the encoder's own are the manifest's.
        let [_, model_file, tokenizer_file] = &self.manifest().encoder;
        let checked = config.checked && model.checked && tokenizer.checked && {
            let stated = EncoderConfig::from_json(&config.bytes)?;
            stated.model_sha256 == model_file.sha256.to_string()
                && stated.tokenizer_sha256 == tokenizer_file.sha256.to_string()
        };
        let model = &model.bytes;
        let encoder = Encoder::from_bytes(ModelFiles {
            config: Some(&config.bytes),
            model: model.clone(),
            tokenizer: &tokenizer.bytes,
            checked,
        })?;
        // Weights are packed now; of the file only some rows of a table are still read.
        model.release();
        let shelf = self.manifest().dims as usize;
        if encoder.dims() != shelf {
            let model = self.manifest().encoder[1].name.clone();
            return Err(Error::Dimensions {
                model,
                shelf,
                found: encoder.dims(),
            });
        }
        // Another thread may have been faster; its encoder is as good.
        Ok(&self.encoder.get_or_init(|| Loaded(encoder)).0)
    }

    /// The `k` items nearest to a text, with the shelf's own defaults.
    ///
    /// # Errors
    /// Those of [`Shelf::encoder`], and of encoding.
    pub fn search(&self, query: &str, k: usize) -> Result<Answer<'_>> {
        self.search_with(
            query,
            &SearchOptions {
                k,
                ..Default::default()
            },
        )
    }

    /// The items nearest to a text. A query of nothing but white space has no hits; one longer than
    /// the encoder reads is truncated, which [`Answer::truncated`] tells.
    ///
    /// # Errors
    /// Those of [`Shelf::encoder`], and of encoding.
    pub fn search_with(&self, query: &str, options: &SearchOptions) -> Result<Answer<'_>> {
        let encoder = self.encoder()?;
        if query.trim().is_empty() {
            let stats = SearchStats::default();
            return Ok(Answer {
                hits: vec![],
                stats,
                tokens: 0,
                untruncated: 0,
            });
        }
        let Encoded {
            vector,
            tokens,
            untruncated,
        } = encoder.encode(query)?;
        let Found { hits, stats } = self.search_vector(&vector, options)?;
        Ok(Answer {
            hits,
            stats,
            tokens,
            untruncated,
        })
    }

    /// The items nearest to a unit vector, say one of [`Encoder::encode`] or of another item.
    ///
    /// # Errors
    /// A vector of other dimensions than the shelf's, or that is not finite.
    pub fn search_vector(&self, vector: &[f32], options: &SearchOptions) -> Result<Found<'_>> {
        Ok(self.catalog.search(vector, options)?)
    }

    /// Reads every byte of every file and compares it with what was written.
    ///
    /// # Errors
    /// The first difference.
    pub fn verify(&self) -> Result<()> {
        self.catalog.verify()?;
        for (file, attached) in self.manifest().encoder.iter().zip(&self.files) {
            let missing = || Error::Missing {
                file: file.name.clone(),
            };
            file.verify(&attached.as_ref().ok_or_else(missing)?.bytes)?;
        }
        self.encoder().map(|_| ())
    }
}

impl Answer<'_> {
    /// Whether the query was longer than the encoder reads.
    pub fn truncated(&self) -> bool {
        self.untruncated > self.tokens
    }
}
