//! Hits in memory of their own.

use std::ffi::c_char;

use nearshelf::{Hit, SearchStats};

/// An item that answers a query.
#[repr(C)]
#[derive(Debug)]
pub struct NearshelfHit {
    /// The item's id in the catalog, in UTF-8, with a NUL at its end. Valid until the hits are freed.
    pub id: *const c_char,
    /// Bytes of the id, without the NUL at its end.
    pub id_length: usize,
    /// The score that hits are ordered by: from 0 to 1 where words and meaning are both compared, BM25F by words, the cosine
    /// of query and item by meaning. An item that the query names has the best score of all on top of its own.
    pub score: f32,
    /// The shard that holds it: with `item` its place, for nearshelf_field.
    pub shard: u32,
    /// Its place in the shard.
    pub item: u32,
    /// Cosine of query and item: 1 for the same direction. NaN where meanings were not compared.
    pub meaning: f32,
    /// Score of the words that query and item share. NaN where words were not compared.
    pub words: f32,
    /// The share of the query's words that the item has, each by its weight, 0 to 1.
    pub coverage: f32,
    /// Whether it is no better than chance.
    pub is_weak: bool,
}

/// The hits of a search, best first. Freed, all of it, by nearshelf_hits_free. It holds on to nothing: it may outlive
/// its shelf, and be read from any thread.
#[repr(C)]
#[derive(Debug)]
pub struct NearshelfHits {
    /// Bytes of this struct in the library: a field that lies behind them is not there.
    pub struct_size: usize,
    /// Hits.
    pub count: usize,
    /// The hits.
    pub hits: *const NearshelfHit,
    /// Tokens of the query that were encoded; 0 for a search by vector.
    pub tokens: usize,
    /// Tokens of the whole query: more when it was truncated.
    pub untruncated: usize,
    /// Shards that were searched.
    pub shards: usize,
    /// Vectors that were compared with the query.
    pub distances: u64,
    /// Tokens of the query that stand for something that the encoder does not know; where these are all, the hits are
    /// chance.
    pub unknown: usize,
}

/// The memory behind the pointers of [`NearshelfHits`]. The public part stands first: its address is that of the whole.
#[repr(C)]
struct Owned {
    public: NearshelfHits,
    hits: Vec<NearshelfHit>,
    ids: Vec<u8>,
}

pub(crate) fn give(
    found: &[Hit<'_>],
    stats: SearchStats,
    [tokens, untruncated, unknown]: [usize; 3],
) -> *mut NearshelfHits {
    let bytes = found.iter().map(|hit| hit.id.len() + 1).sum();
    let mut ids: Vec<u8> = Vec::with_capacity(bytes);
    for hit in found {
        ids.extend_from_slice(hit.id.as_bytes());
        ids.push(0);
    }
    let mut rest = ids.as_ptr();
    let hits: Vec<NearshelfHit> = found
        .iter()
        .map(|hit| {
            let id = rest.cast();
            // SAFETY: the ids lie one behind the other; behind the last one is the end of the allocation.
            rest = unsafe { rest.add(hit.id.len() + 1) };
            NearshelfHit {
                id,
                id_length: hit.id.len(),
                score: hit.score,
                shard: hit.shard,
                item: hit.item,
                meaning: hit.parts.meaning.unwrap_or(f32::NAN),
                words: hit.parts.words.unwrap_or(f32::NAN),
                coverage: hit.parts.coverage,
                is_weak: hit.is_weak(),
            }
        })
        .collect();
    let owned = Owned {
        public: NearshelfHits {
            struct_size: size_of::<NearshelfHits>(),
            count: hits.len(),
            hits: hits.as_ptr(),
            tokens,
            untruncated,
            shards: stats.probed,
            distances: stats.distances,
            unknown,
        },
        hits,
        ids,
    };
    Box::into_raw(Box::new(owned)).cast()
}

/// Frees the hits of a search. NULL is nothing to free.
///
/// # Safety
/// `hits` came from a search and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nearshelf_hits_free(hits: *mut NearshelfHits) {
    if !hits.is_null() {
        // SAFETY: by the caller's word from `give`, which made an `Owned` of it.
        drop(unsafe { Box::from_raw(hits.cast::<Owned>()) });
    }
}
