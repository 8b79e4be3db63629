//! Walks and scans over a graph of true neighbours, in one shard and in several.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use nearshelf_container::{Absent, FileKind, Head, Ranges, Storage};

use super::*;
use crate::accept::{All, Allowed, AllowedByShard};
use crate::builder::ShardBuilder;
use crate::candidates::Candidate;
use crate::codes::{CodedVectors, Precision, row_bytes};
use crate::links::Links;
use crate::numbering::Numbering;
use crate::shard::Shard;
use crate::similarity::dot_f32;

const DIMS: usize = 24;
const ITEMS: usize = 1500;
const K: usize = 10;
const EF: usize = 60;

/// Unit vectors from a fixed stream.
fn vectors(count: usize, mut state: u64) -> Vec<Vec<f32>> {
    let mut number = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count)
        .map(|_| {
            let vector: Vec<f32> = (0..DIMS).map(|_| number()).collect();
            let norm = dot_f32(&vector, &vector).sqrt();
            vector.iter().map(|x| x / norm).collect()
        })
        .collect()
}

/// Shards of so many items each, linked with their nearest over all shards.
fn shards(sizes: &[usize]) -> (Numbering, Vec<Vec<u8>>) {
    let rows = vectors(ITEMS, 7);
    let numbering = Numbering::new(sizes.iter().map(|&size| size as u32));
    let places: Vec<(usize, usize)> = sizes
        .iter()
        .enumerate()
        .flat_map(|(shard, &size)| (0..size).map(move |item| (shard, item)))
        .collect();
    let number = |i: usize| numbering.number(places[i].0, places[i].1 as u32);
    let mut links = vec![Vec::new(); ITEMS];
    for (i, row) in rows.iter().enumerate() {
        let mut others: Vec<(f32, usize)> = rows
            .iter()
            .enumerate()
            .map(|(j, other)| (dot_f32(other, row), j))
            .filter(|(_, j)| *j != i)
            .collect();
        others.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        for &(_, other) in &others[..20] {
            links[i].push(number(other));
            if links[other].len() < MAX_LINKS && !links[other].contains(&number(i)) {
                links[other].push(number(i));
            }
        }
        links[i].truncate(MAX_LINKS);
    }
    let mut files = Vec::new();
    let mut start = 0;
    for &size in sizes {
        let mut coded = CodedVectors::new(DIMS, Precision::FourFour);
        rows[start..start + size]
            .iter()
            .for_each(|row| coded.push(row));
        let of_shard = links[start..start + size].iter().map(Vec::as_slice);
        let links = Links::new(of_shard).unwrap();
        let shard = ShardBuilder::new(&coded, &links, None, 16.min(size)).unwrap();
        files.push(shard.to_bytes());
        start += size;
    }
    (numbering, files)
}

fn shard_bytes() -> Vec<u8> {
    shards(&[ITEMS]).1.remove(0)
}

fn queries() -> impl Iterator<Item = Query> {
    vectors(40, 99).into_iter().map(|v| Query::new(&v).unwrap())
}

/// One shard as all there is.
fn search<S: Storage>(
    shard: &Shard<S>,
    search: impl FnOnce(&Slices<'_>, &mut Scratch) -> Candidates,
) -> Result<Vec<Candidate>, Absent> {
    let numbering = Numbering::new([shard.len() as u32]);
    let mut slices = Slices::new(&numbering, shard.dims());
    slices.add(0, shard.slice()?);
    Ok(search(&slices, &mut Scratch::default()).best)
}

fn walked<S: Storage, A: Accept>(shard: &Shard<S>, query: &Query, accept: &A) -> Vec<Candidate> {
    search(shard, |slices, scratch| {
        slices.walk(query, 2 * EF, accept, scratch)
    })
    .unwrap()
}

fn scanned<S: Storage, A: Accept>(shard: &Shard<S>, query: &Query, accept: &A) -> Vec<Candidate> {
    search(shard, |slices, scratch| {
        slices.scan(query, EF, accept, scratch)
    })
    .unwrap()
}

fn only(allowed: Allowed) -> AllowedByShard {
    let mut sets = AllowedByShard::default();
    sets.set(0, Arc::new(allowed));
    sets
}

#[test]
fn a_walk_finds_the_nearest() {
    let shard = Shard::open(shard_bytes()).unwrap();
    for query in queries() {
        assert_eq!(
            walked(&shard, &query, &All)[..K],
            scanned(&shard, &query, &All)[..K]
        );
    }
}

#[test]
fn shards_are_slices_of_one_graph() {
    let (numbering, files) = shards(&[700, 3, 797]);
    let opened: Vec<_> = files.into_iter().map(|f| Shard::open(f).unwrap()).collect();
    let whole = Shard::open(shard_bytes()).unwrap();
    let starts = [0, 700, 703];
    let mut scratch = Scratch::default();
    let mut right = 0;
    for query in queries() {
        let mut slices = Slices::new(&numbering, DIMS);
        for (number, shard) in opened.iter().enumerate() {
            slices.add(number, shard.slice().unwrap());
        }
        let found = slices.walk(&query, EF, &All, &mut scratch);
        let items = |found: &[Candidate]| -> Vec<u32> {
            found
                .iter()
                .map(|c| starts[c.shard as usize] + c.item)
                .collect()
        };
        assert_eq!(
            items(&found.best[..K]),
            items(&walked(&whole, &query, &All)[..K])
        );

        // Without one of them, most of the others' items are found.
        let mut slices = Slices::new(&numbering, DIMS);
        slices.add(0, opened[0].slice().unwrap());
        slices.add(1, opened[1].slice().unwrap());
        let found = slices.walk(&query, EF, &All, &mut scratch).best;
        let exact = slices.scan(&query, EF, &All, &mut scratch).best;
        right += exact[..K].iter().filter(|c| found[..K].contains(c)).count();
    }
    assert!(right > 36 * K, "{right} of {}", 40 * K);
}

#[test]
fn everything_allowed_is_the_same_as_no_question_asked() {
    let shard = Shard::open(shard_bytes()).unwrap();
    let everything = only(Allowed::where_(ITEMS, |_| true));
    for query in queries() {
        assert_eq!(
            walked(&shard, &query, &everything),
            walked(&shard, &query, &All)
        );
        assert_eq!(
            scanned(&shard, &query, &everything),
            scanned(&shard, &query, &All)
        );
    }
}

#[test]
fn a_random_half_allowed_gives_the_exact_answer_over_that_half() {
    let shard = Shard::open(shard_bytes()).unwrap();
    let half = Allowed::where_(ITEMS, |item| (u32::from(item) * 2_654_435_761) >> 31 == 0);
    assert!((ITEMS / 3..2 * ITEMS / 3).contains(&half.count()));
    for query in queries() {
        let exact = scanned(&shard, &query, &only(half.clone()));
        assert_eq!(exact.len(), EF);
        assert!(exact.iter().all(|c| half.contains(c.item as u16)));
        let mut all: Vec<Candidate> = scanned(&shard, &query, &All);
        all.retain(|c| half.contains(c.item as u16));
        assert_eq!(exact[..K], all[..K], "the scan");
        let walked = walked(&shard, &query, &only(half.clone()));
        assert_eq!(walked[..K], exact[..K], "the walk");
    }
}

#[test]
fn nothing_allowed_finds_nothing() {
    let shard = Shard::open(shard_bytes()).unwrap();
    for query in queries() {
        let nothing = only(Allowed::none(ITEMS));
        assert!(walked(&shard, &query, &nothing).is_empty());
        assert!(scanned(&shard, &query, &nothing).is_empty());
        assert!(walked(&shard, &query, &AllowedByShard::default()).is_empty());
    }
}

#[test]
fn entry_nodes_tell_what_share_of_the_items_near_a_query_is_allowed() {
    let shard = Shard::open(shard_bytes()).unwrap();
    let share = |query: &Query, allowed: Allowed| {
        let numbering = Numbering::new([ITEMS as u32]);
        let mut slices = Slices::new(&numbering, DIMS);
        slices.add(0, shard.slice().unwrap());
        slices.share_near(query, &only(allowed), &mut Scratch::default())
    };
    let (mut near, mut far) = (0.0, 0.0);
    for query in queries() {
        assert_eq!(share(&query, Allowed::where_(ITEMS, |_| true)), 1.0);
        assert_eq!(share(&query, Allowed::none(ITEMS)), 0.0);
        let nearest = search(&shard, |slices, scratch| {
            slices.scan(&query, ITEMS / 4, &All, scratch)
        });
        let mut is_near = vec![false; ITEMS];
        for candidate in nearest.unwrap() {
            is_near[candidate.item as usize] = true;
        }
        let allowed = |near| Allowed::where_(ITEMS, |item| is_near[usize::from(item)] == near);
        near += share(&query, allowed(true));
        far += share(&query, allowed(false));
    }
    let queries = queries().count() as f64;
    assert!(near > 0.9 * queries && far < 0.1 * queries, "{near}, {far}");
}

/// A storage that remembers what was read of it.
struct Counting {
    bytes: Vec<u8>,
    read: RefCell<Vec<Range<usize>>>,
}

impl Storage for Counting {
    fn length(&self) -> usize {
        self.bytes.len()
    }

    fn read(&self, range: Range<usize>) -> Result<&[u8], Absent> {
        self.read.borrow_mut().push(range.clone());
        self.bytes.read(range)
    }
}

#[test]
fn a_search_reads_links_and_coarse_codes_and_of_the_rest_its_candidates_alone() {
    let bytes = shard_bytes();
    let read = RefCell::default();
    let shard = Shard::open(Counting { bytes, read }).unwrap();
    let head = shard.head().bytes();
    let opened = std::mem::take(&mut *shard.storage().read.borrow_mut());
    assert!(opened.iter().all(|range| range.end <= head), "{opened:?}");

    let query = queries().next().unwrap();
    let candidates = walked(&shard, &query, &All);
    let walked = std::mem::take(&mut *shard.storage().read.borrow_mut());
    let part = shard.search_part();
    let inside = |range: &Range<usize>| part.start <= range.start && range.end <= part.end;
    assert!(walked.iter().all(inside), "{walked:?} outside {part:?}");

    for candidate in &candidates[..K] {
        shard.score(&query, candidate.item as usize).unwrap();
    }
    let scored = std::mem::take(&mut *shard.storage().read.borrow_mut());
    let beyond: usize = scored.iter().filter(|r| !inside(r)).map(Range::len).sum();
    assert_eq!(beyond, K * row_bytes(DIMS), "{scored:?}");
}

#[test]
fn a_shard_that_has_come_in_part_says_what_it_lacks() {
    let bytes = shard_bytes();
    let whole = Shard::open(bytes.clone()).unwrap();
    let head = Head::bytes_needed(FileKind::Shard, &bytes[..64], bytes.len() as u64).unwrap();
    let ranges = Ranges::new(FileKind::Shard, bytes.len(), &bytes[..head]).unwrap();
    let mut shard = Shard::open(ranges).unwrap();
    let query = queries().next().unwrap();
    assert!(shard.slice().is_err());

    let mut fetched = 0;
    let mut fetch = |shard: &mut Shard<Ranges>, range: Range<usize>| {
        for range in shard.storage().missing(range) {
            fetched += range.len();
            let part = bytes[range.clone()].to_vec();
            shard.storage_mut().add(range, part).unwrap();
        }
    };
    let part = shard.search_part();
    fetch(&mut shard, part);
    let candidates = walked(&shard, &query, &All);
    assert_eq!(candidates, walked(&whole, &query, &All));
    for candidate in &candidates[..K] {
        let item = candidate.item as usize;
        if let Err(Absent(range)) = shard.score(&query, item) {
            fetch(&mut shard, range);
        }
        assert_eq!(shard.score(&query, item), whole.score(&query, item));
    }
    assert!(fetched < bytes.len(), "{fetched} of {} bytes", bytes.len());
}
