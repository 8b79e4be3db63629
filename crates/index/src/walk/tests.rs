//! Walks and scans over a graph of true neighbours.

use std::cell::RefCell;
use std::ops::Range;

use super::*;
use crate::accept::{All, Allowed};
use crate::builder::ShardBuilder;
use crate::codes::SevenFour;
use crate::graph::{Graph, NO_LINK};
use crate::similarity::dot_f32;

const DIMS: usize = 24;
const ITEMS: usize = 1500;
const K: usize = 10;

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

/// A shard whose nodes are linked with their nearest, both ways as far as there is room.
fn shard_bytes() -> Vec<u8> {
    let rows = vectors(ITEMS, 7);
    let coded: Vec<_> = rows.iter().map(|v| SevenFour::encode(v)).collect();
    let mut links = vec![[NO_LINK; DEGREE]; ITEMS];
    for (i, row) in rows.iter().enumerate() {
        let mut others: Vec<usize> = (0..ITEMS).filter(|&j| j != i).collect();
        others.sort_by(|&a, &b| dot_f32(&rows[b], row).total_cmp(&dot_f32(&rows[a], row)));
        for &other in &others[..DEGREE / 2] {
            for (from, to) in [(i, other), (other, i)] {
                let known = links[from].contains(&(to as u16));
                let free = links[from].iter_mut().find(|link| **link == NO_LINK);
                if let (false, Some(free)) = (known, free) {
                    *free = to as u16;
                }
            }
        }
    }
    let graph = Graph { links, entries: 32 };
    let builder = ShardBuilder::new::<SevenFour>(DIMS, &coded, &graph).unwrap();
    builder.to_bytes()
}

fn queries() -> impl Iterator<Item = Query> {
    vectors(40, 99).into_iter().map(|v| Query::new(&v).unwrap())
}

fn walked<S: Storage, A: Accept>(shard: &Shard<S>, query: &Query, accept: &A) -> Vec<Candidate> {
    let mut pool = Pool::new(60);
    let mut scratch = Scratch::default();
    let walked = shard.walk(3, query, 60, accept, &mut pool, &mut scratch);
    walked.unwrap();
    pool.candidates().to_vec()
}

fn scanned<S: Storage, A: Accept>(shard: &Shard<S>, query: &Query, accept: &A) -> Vec<Candidate> {
    let mut pool = Pool::new(60);
    let mut scratch = Scratch::default();
    let scanned = shard.scan(3, query, accept, &mut pool, &mut scratch);
    scanned.unwrap();
    pool.candidates().to_vec()
}

#[test]
fn everything_allowed_is_the_same_as_no_question_asked() {
    let shard = Shard::open(shard_bytes()).unwrap();
    let everything = Allowed::where_(ITEMS, |_| true);
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
    assert!((ITEMS / 3..2 * ITEMS / 3).contains(&half.count(ITEMS)));
    for query in queries() {
        let exact = scanned(&shard, &query, &half);
        assert_eq!(exact.len(), 60);
        assert!(exact.iter().all(|c| half.accepts(c.item as u16)));
        let mut all: Vec<Candidate> = scanned(&shard, &query, &All);
        all.retain(|c| half.accepts(c.item as u16));
        assert_eq!(exact[..K], all[..K], "the scan");
        assert_eq!(walked(&shard, &query, &half)[..K], exact[..K], "the walk");
    }
}

#[test]
fn nothing_allowed_finds_nothing() {
    let shard = Shard::open(shard_bytes()).unwrap();
    for query in queries() {
        assert!(walked(&shard, &query, &Allowed::none(ITEMS)).is_empty());
        assert!(scanned(&shard, &query, &Allowed::none(ITEMS)).is_empty());
    }
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
    assert_eq!(beyond, K * crate::codes::stride(DIMS) / 2, "{scored:?}");
}

#[test]
fn a_shard_that_has_come_in_part_says_what_it_lacks() {
    use nearshelf_container::{FileKind, Head, Ranges};

    let bytes = shard_bytes();
    let whole = Shard::open(bytes.clone()).unwrap();
    let head = Head::bytes_needed(FileKind::Shard, &bytes[..64], bytes.len() as u64).unwrap();
    let ranges = Ranges::new(FileKind::Shard, bytes.len(), &bytes[..head]).unwrap();
    let mut shard = Shard::open(ranges).unwrap();
    let (mut pool, mut scratch) = (Pool::new(60), Scratch::default());
    let query = queries().next().unwrap();
    let lacking = shard.walk(0, &query, 60, &All, &mut pool, &mut scratch);
    assert!(lacking.is_err() && pool.candidates().is_empty());

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
