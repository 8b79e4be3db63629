use std::sync::{Mutex, PoisonError};

use nearshelf_index::{Pool, Query, Scratch, Shard, dot_f32};

use crate::columns::{Columns, FieldKind, ValueRef};
use crate::error::{Error, Result};
use crate::manifest::Manifest;

/// A shard of at most this many items for each candidate kept is compared whole: that costs no more
/// than walking its graph, and misses nothing.
const SCAN_ITEMS_PER_EF: usize = 8;
/// Candidates beyond `k` that are scored again by their fine codes, at the least: coarse codes are off
/// by a thousandth or so, and seldom put one of the best ten behind the fortieth place.
const RESCORE_MARGIN: usize = 30;

/// A shelf's manifest and shards. Shards can be attached one by one; what is there is searched.
///
/// `Send + Sync` where `D` is: threads share one catalog.
#[derive(Debug)]
pub struct Catalog<D> {
    manifest: Manifest,
    shards: Vec<Option<Open<D>>>,
    scratch: Mutex<Vec<Scratch>>,
}

#[derive(Debug)]
struct Open<D> {
    shard: Shard<D>,
    columns: Columns,
}

/// How a search goes. Everything that is `None` is as the shelf's manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchOptions {
    /// Hits wanted.
    pub k: usize,
    /// Shards searched, nearest first.
    pub probe: Option<usize>,
    /// Candidates kept while walking (`ef_search`); never fewer than `k` needs.
    pub ef: Option<usize>,
}

impl Default for SearchOptions {
    fn default() -> Self {
        SearchOptions {
            k: 10,
            probe: None,
            ef: None,
        }
    }
}

/// What a search cost and covered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SearchStats {
    /// Shards searched.
    pub probed: usize,
    /// Shards that would have been searched, had they been attached.
    pub missing: usize,
    /// Vectors compared with the query.
    pub distances: u64,
}

/// The hits of a search, best first, and what it cost.
#[derive(Debug)]
pub struct Found<'a, D> {
    /// The hits.
    pub hits: Vec<Hit<'a, D>>,
    /// Cost and coverage.
    pub stats: SearchStats,
}

/// An item that answers a query.
#[derive(Debug)]
pub struct Hit<'a, D> {
    /// The item's id in the catalog.
    pub id: &'a str,
    /// Cosine of query and item: 1 for the same direction.
    pub score: f32,
    /// The shard that holds it.
    pub shard: u32,
    /// Its place in the shard.
    pub item: u32,
    catalog: &'a Catalog<D>,
}

impl<D> Clone for Hit<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D> Copy for Hit<'_, D> {}

impl<'a, D: AsRef<[u8]>> Hit<'a, D> {
    /// The value of a field; `None` where the item has none or the catalog no such field.
    pub fn field(&self, name: &str) -> Option<ValueRef<'a>> {
        let field = self
            .catalog
            .manifest
            .fields
            .iter()
            .position(|f| f.name == name)?;
        self.catalog.value(self.shard, field, self.item)
    }

    /// All fields that the item has, in the catalog's order.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, ValueRef<'a>)> + use<'a, D> {
        let Hit {
            shard,
            item,
            catalog,
            ..
        } = *self;
        catalog
            .manifest
            .fields
            .iter()
            .enumerate()
            .filter_map(move |(i, f)| Some((f.name.as_str(), catalog.value(shard, i, item)?)))
    }
}

impl<D: AsRef<[u8]>> Catalog<D> {
    /// A catalog without its shards.
    pub fn new(manifest: Manifest) -> Self {
        let shards = manifest.shards.iter().map(|_| None).collect();
        Catalog {
            manifest,
            shards,
            scratch: Mutex::default(),
        }
    }

    /// Opens a shard from its bytes. O(1): the bytes are not read through; where they come from a
    /// place that is not trusted, [`crate::FileRef::verify`] compares them with the manifest first.
    ///
    /// # Errors
    /// A number that the manifest does not have, bytes of another length, a shard that is damaged or
    /// not the one that the manifest describes.
    pub fn attach(&mut self, number: usize, data: D) -> Result<()> {
        let Some(expected) = self.manifest.shards.get(number) else {
            return Err(Error::Mismatch {
                file: crate::MANIFEST_NAME.into(),
                place: "shards".into(),
                expected: format!("a shard below {}", self.manifest.shards.len()),
                found: number.to_string(),
            });
        };
        let file = &expected.file;
        file.check_length(data.as_ref().len() as u64)?;
        let shard = Shard::open(data).map_err(|source| Error::Shard {
            file: file.name.clone(),
            source,
        })?;
        for (place, expected, found) in [
            (
                "header, dimensions",
                self.manifest.dims as usize,
                shard.dims(),
            ),
            ("header, items", expected.items as usize, shard.len()),
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
        self.shards[number] = Some(Open { shard, columns });
        Ok(())
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// A shard, when it is attached.
    pub fn shard(&self, number: usize) -> Option<&Shard<D>> {
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

    /// The shards by how near their middle is to a unit vector, nearest first.
    pub fn route(&self, vector: &[f32]) -> Vec<usize> {
        route(self.manifest.shards.iter().map(|s| &s.centroid), vector)
    }

    /// The shards that a search by this vector would look at and that are not attached, nearest first.
    pub fn missing(&self, vector: &[f32], options: &SearchOptions) -> Vec<usize> {
        let probe = options.probe.unwrap_or(self.manifest.search.probe as usize);
        let mut items = 0;
        self.route(vector)
            .into_iter()
            .enumerate()
            .take_while(|&(visited, number)| {
                let wanted = visited < probe.max(1) || items < options.k;
                items += self.manifest.shards[number].items as usize;
                wanted
            })
            .map(|(_, number)| number)
            .filter(|&number| self.shards[number].is_none())
            .collect()
    }

    /// The items whose vectors are nearest to a unit vector: the nearest shards' graphs are walked,
    /// then the best candidates scored by their fine codes. Equal scores stand in the order of shard
    /// and item.
    ///
    /// Fewer than `k` hits come back only when the attached shards hold fewer items.
    ///
    /// # Errors
    /// A vector of other dimensions, or with a component that is not finite.
    pub fn search(&self, vector: &[f32], options: &SearchOptions) -> Result<Found<'_, D>> {
        let defaults = &self.manifest.search;
        let k = options.k.min(self.len());
        let ef = options.ef.unwrap_or(defaults.ef as usize);
        let ef = ef.max(k + k.max(RESCORE_MARGIN)).min(self.len());
        let probe = options.probe.unwrap_or(defaults.probe as usize).max(1);
        let plan = Plan { k, probe, ef };
        self.search_shards(vector, &plan, |shard, number, query, pool, scratch| {
            if shard.len() <= ef.saturating_mul(SCAN_ITEMS_PER_EF) {
                shard.scan(number, query, pool, scratch);
                shard.len() as u64
            } else {
                shard.walk(number, query, ef, pool, scratch).distances
            }
        })
    }

    /// Compares the vector with every item of every attached shard: the truth that searches are
    /// measured against.
    ///
    /// # Errors
    /// Those of [`Catalog::search`].
    pub fn search_exact(&self, vector: &[f32], k: usize) -> Result<Found<'_, D>> {
        let k = k.min(self.len());
        // Coarse codes order items well enough that the true best are among ten times as many.
        let plan = Plan {
            k,
            probe: self.shards.len(),
            ef: (10 * k).max(100),
        };
        self.search_shards(vector, &plan, |shard, number, query, pool, scratch| {
            shard.scan(number, query, pool, scratch);
            shard.len() as u64
        })
    }

    fn search_shards(
        &self,
        vector: &[f32],
        plan: &Plan,
        visit: impl Fn(&Shard<D>, u32, &Query, &mut Pool, &mut Scratch) -> u64,
    ) -> Result<Found<'_, D>> {
        let Plan { k, probe, ef } = *plan;
        let dims = self.manifest.dims as usize;
        let error = |found: String| Error::Query {
            expected: dims,
            found,
        };
        if vector.len() != dims {
            return Err(error(format!("{} numbers", vector.len())));
        }
        let query = Query::new(vector).ok_or_else(|| error("one that is not finite".into()))?;
        let mut stats = SearchStats::default();
        let mut pool = Pool::new(ef);
        let mut scratch = self.scratch().pop().unwrap_or_default();
        if k > 0 {
            for number in self.route(vector) {
                if stats.probed + stats.missing >= probe && pool.candidates().len() >= k.min(ef) {
                    break;
                }
                match &self.shards[number] {
                    None => stats.missing += 1,
                    Some(open) => {
                        stats.probed += 1;
                        stats.distances +=
                            visit(&open.shard, number as u32, &query, &mut pool, &mut scratch);
                    }
                }
            }
        }
        self.scratch().push(scratch);
        let rescored = k + k.max(RESCORE_MARGIN);
        let mut hits: Vec<Hit<'_, D>> = pool
            .candidates()
            .iter()
            .take(rescored)
            .filter_map(|candidate| {
                let open = self.shards.get(candidate.shard as usize)?.as_ref()?;
                Some(Hit {
                    // An id that cannot be read is damage, which `verify` names; the hit still counts.
                    id: open
                        .columns
                        .id(&open.shard, candidate.item)
                        .unwrap_or_default(),
                    score: open.shard.score(&query, candidate.item as usize)?,
                    shard: candidate.shard,
                    item: candidate.item,
                    catalog: self,
                })
            })
            .collect();
        hits.sort_by(|a, b| {
            b.score
                .total_cmp(&a.score)
                .then(a.shard.cmp(&b.shard))
                .then(a.item.cmp(&b.item))
        });
        hits.truncate(k);
        Ok(Found { hits, stats })
    }

    /// The id of an item, by shard and place.
    pub fn id(&self, shard: u32, item: u32) -> Option<&str> {
        let open = self.shards.get(shard as usize)?.as_ref()?;
        open.columns.id(&open.shard, item)
    }

    /// The value of field number `field` of an item; `None` where it has none.
    pub fn value(&self, shard: u32, field: usize, item: u32) -> Option<ValueRef<'_>> {
        let open = self.shards.get(shard as usize)?.as_ref()?;
        open.columns.value(&open.shard, field, item)
    }

    /// Reads all attached shards through: digests, checksums, links, fields.
    ///
    /// # Errors
    /// The first thing that is not as it was written.
    pub fn verify(&self) -> Result<()> {
        for (expected, open) in self.manifest.shards.iter().zip(&self.shards) {
            let Some(open) = open else { continue };
            let file = &expected.file;
            let shard_error = |source| Error::Shard {
                file: file.name.clone(),
                source,
            };
            // The shard's own checksums first: they say where.
            open.shard.verify().map_err(shard_error)?;
            file.verify(open.shard.bytes())?;
            open.columns.verify(&file.name, &open.shard)?;
        }
        Ok(())
    }

    fn scratch(&self) -> std::sync::MutexGuard<'_, Vec<Scratch>> {
        // A scratch that a panic left behind was never put back; the others are as good as before.
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a search does, with nothing left to default.
struct Plan {
    k: usize,
    probe: usize,
    ef: usize,
}

/// The order in which a query goes to shards with these unit centroids, nearest first.
pub fn route<'a>(centroids: impl Iterator<Item = &'a Vec<f32>>, vector: &[f32]) -> Vec<usize> {
    let scores: Vec<f32> = centroids
        .map(|centroid| dot_f32(centroid, vector))
        .collect();
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    order
}
