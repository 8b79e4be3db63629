//! Hits in memory of their own.

use std::ffi::c_char;

use nearshelf::{Facet, FacetCounts, Hit, Matches, SearchStats, WordQuery};

use crate::text::NearshelfText;

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
    /// Items that have its value of the options' `distinct`, itself among them; 0 where that was not asked for.
    pub variants: u64,
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
    /// Items that match the query, where they had to be known: for facets, an order by fields, or without a query.
    pub matches: u64,
    /// Whether these are all, and the counts of the facets with them: not where more than 1,000 items are near in meaning.
    pub matches_are_exact: bool,
    /// Facets.
    pub facet_count: usize,
    /// The facets that were asked for, in that order.
    pub facets: *const NearshelfFacet,
    /// Corrections.
    pub correction_count: usize,
    /// Words of the query that were taken for others of the catalog, in the order of the query.
    pub corrections: *const NearshelfCorrection,
    /// Unknown words.
    pub unknown_word_count: usize,
    /// Words of the query that the catalog does not have, nor any like them.
    pub unknown_words: *const NearshelfText,
}

/// A word of a query that was taken for another of the catalog. Valid until the hits are freed.
#[repr(C)]
#[derive(Debug)]
pub struct NearshelfCorrection {
    /// The word of the query.
    pub from: NearshelfText,
    /// The likeliest of the words that were looked for instead.
    pub to: NearshelfText,
}

/// The values of a field that items which match have.
#[repr(C)]
#[derive(Debug)]
pub struct NearshelfFacet {
    /// The field.
    pub field: NearshelfText,
    /// Values that there are, told or not; of a text, tags or bool field.
    pub distinct: usize,
    /// The least number; NaN where no item has one, or the field is of another type.
    pub min: f64,
    /// The largest number.
    pub max: f64,
    /// Counts.
    pub count: usize,
    /// Of a number field its ranges, then its histogram; of others the values of most items, in falling order.
    pub counts: *const NearshelfCount,
}

/// A value, or a range of numbers, with its items.
#[repr(C)]
#[derive(Debug)]
pub struct NearshelfCount {
    /// The value; empty for a range. Of a bool field "true" or "false".
    pub value: NearshelfText,
    /// The number that a range begins with; NaN where it has none.
    pub from: f64,
    /// The number below which a range ends; NaN where it has none.
    pub to: f64,
    /// Items that have it.
    pub count: u64,
}

/// The memory behind the pointers of [`NearshelfHits`]. The public part stands first: its address is that of the whole.
#[repr(C)]
struct Owned {
    public: NearshelfHits,
    hits: Vec<NearshelfHit>,
    ids: Vec<u8>,
    facets: Vec<NearshelfFacet>,
    counts: Vec<Vec<NearshelfCount>>,
    corrections: Vec<NearshelfCorrection>,
    unknown_words: Vec<NearshelfText>,
    /// The texts that facets point to: their heap blocks stay where they are.
    told: Vec<Facet>,
    /// The texts that corrections and unknown words point to.
    query: Option<WordQuery>,
}

/// Cost, counts and facets of a search.
pub(crate) struct About {
    pub stats: SearchStats,
    pub matches: Option<Matches>,
    pub facets: Vec<Facet>,
    pub words: Option<WordQuery>,
    /// Tokens of the query: encoded, all, unknown.
    pub tokens: [usize; 3],
}

pub(crate) fn give(found: &[Hit<'_>], about: About) -> *mut NearshelfHits {
    let [tokens, untruncated, unknown] = about.tokens;
    let stats = about.stats;
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
                variants: hit.variants.unwrap_or_default(),
            }
        })
        .collect();
    let told = about.facets;
    let counts: Vec<Vec<NearshelfCount>> = told.iter().map(counts).collect();
    let facets: Vec<NearshelfFacet> = told.iter().zip(&counts).map(facet).collect();
    let query = about.words;
    let corrected = query.as_ref().map_or(&[][..], WordQuery::corrected);
    let corrections: Vec<NearshelfCorrection> = corrected
        .iter()
        .map(|corrected| NearshelfCorrection {
            from: NearshelfText::of(&corrected.from),
            to: NearshelfText::of(corrected.to.first().map_or("", String::as_str)),
        })
        .collect();
    let unknown_words = query.as_ref().map_or(&[][..], WordQuery::unknown);
    let unknown_words: Vec<NearshelfText> = unknown_words
        .iter()
        .map(|word| NearshelfText::of(word))
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
            matches: about.matches.map_or(0, |matches| matches.count),
            matches_are_exact: about.matches.is_some_and(|matches| matches.exact),
            facet_count: facets.len(),
            facets: facets.as_ptr(),
            correction_count: corrections.len(),
            corrections: corrections.as_ptr(),
            unknown_word_count: unknown_words.len(),
            unknown_words: unknown_words.as_ptr(),
        },
        hits,
        ids,
        facets,
        counts,
        corrections,
        unknown_words,
        told,
        query,
    };
    Box::into_raw(Box::new(owned)).cast()
}

fn counts(facet: &Facet) -> Vec<NearshelfCount> {
    let end = |end: Option<f64>| end.unwrap_or(f64::NAN);
    match &facet.counts {
        FacetCounts::Values { values, .. } => values
            .iter()
            .map(|value| NearshelfCount {
                value: NearshelfText::of(&value.value),
                from: f64::NAN,
                to: f64::NAN,
                count: value.count,
            })
            .collect(),
        FacetCounts::Numbers {
            ranges, histogram, ..
        } => ranges
            .iter()
            .chain(histogram)
            .map(|range| NearshelfCount {
                value: NearshelfText::none(),
                from: end(range.from),
                to: end(range.to),
                count: range.count,
            })
            .collect(),
    }
}

fn facet((facet, counts): (&Facet, &Vec<NearshelfCount>)) -> NearshelfFacet {
    let (distinct, ends) = match &facet.counts {
        FacetCounts::Values { distinct, .. } => (*distinct, None),
        FacetCounts::Numbers { min, max, .. } => (0, min.zip(*max)),
    };
    let (min, max) = ends.unwrap_or((f64::NAN, f64::NAN));
    NearshelfFacet {
        field: NearshelfText::of(&facet.field),
        distinct,
        min,
        max,
        count: counts.len(),
        counts: counts.as_ptr(),
    }
}

/// Frees the hits of a search. NULL is nothing to free.
///
/// # Safety
/// `hits` came from a search and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nearshelf_hits_free(hits: *mut NearshelfHits) {
    if !hits.is_null() {
        // SAFETY: by the caller's word from `give`, which made an `Owned` of it.
        let owned = unsafe { Box::from_raw(hits.cast::<Owned>()) };
        debug_assert_eq!(owned.facets.len(), owned.counts.len());
        debug_assert_eq!(owned.facets.len(), owned.told.len());
        debug_assert!(owned.query.is_some() || owned.corrections.is_empty());
        debug_assert!(owned.query.is_some() || owned.unknown_words.is_empty());
    }
}
