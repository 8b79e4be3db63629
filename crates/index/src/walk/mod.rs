//! The search of a shelf's graph: best first, from the nearest of some entry nodes (HNSW, Malkov and Yashunin 2018,
//! algorithm 2 on the lowest layer; Vamana, Subramanya et al. 2019, algorithm 1).
//!
//! A walk has two lists. The *beam* is its way: the best nodes seen, whether they may be hits or not. The
//! *results* are the best nodes that may be hits; where every item may, the two are one.

mod params;
mod scratch;

use self::params::{PREFETCH_LINKS, SEEDS};
pub use self::scratch::Scratch;
use crate::accept::Accept;
use crate::candidates::Candidates;
use crate::codes::Query;
use crate::kernel::{self, DotRows};
use crate::links::{MAX_LINKS, number};
use crate::slices::Slices;

/// Lengths of a walk's lists.
#[derive(Debug, Clone, Copy)]
pub struct Breadth {
    /// Results (`ef_search` of the HNSW paper).
    pub ef: usize,
    /// Nodes of the beam: `ef`, and more where only some items may be hits.
    pub beam: usize,
}

impl From<usize> for Breadth {
    fn from(ef: usize) -> Self {
        Breadth { ef, beam: ef }
    }
}

impl Slices<'_> {
    /// Walks the graph for the query's nearest items among those that `accept` takes.
    ///
    /// A query of other dimensions than the slices' finds nothing.
    pub fn walk<A: Accept>(
        &self,
        query: &Query,
        breadth: impl Into<Breadth>,
        accept: &A,
        scratch: &mut Scratch,
    ) -> Candidates {
        if query.dims() != self.dims() {
            return Candidates::default();
        }
        let Breadth { ef, beam } = breadth.into();
        let numbers = self.numbering.len();
        scratch.visited.reset(numbers, &scratch.numbers);
        scratch.numbers.clear();
        scratch.beam.reset(beam.max(ef).max(1));
        scratch.results.reset(ef.max(1));
        let mut walk = Walk {
            slices: self,
            query: query.coarse(),
            accept,
            dot_rows: kernel::dot_rows(),
            rows: Vec::with_capacity(MAX_LINKS),
            distances: 0,
        };
        walk.start(scratch);
        let expanded = walk.go_on(scratch);
        let found = if A::ALL {
            &scratch.beam
        } else {
            &scratch.results
        };
        Candidates {
            best: self.candidates(found, ef),
            distances: walk.distances,
            expanded,
        }
    }
}

/// A walk in progress. `rows` are the codes of the scratch's `numbers`, to be scored next.
struct Walk<'a, 's, A> {
    slices: &'a Slices<'s>,
    query: &'a [i8],
    accept: &'a A,
    dot_rows: DotRows,
    rows: Vec<&'s [u8]>,
    distances: u64,
}

impl<A: Accept> Walk<'_, '_, A> {
    /// Fills the beam with the best of the entry nodes.
    fn start(&mut self, scratch: &mut Scratch) {
        let slices = self.slices;
        let mut entries = Vec::new();
        for (shard, slice) in slices.iter() {
            for item in slice.entries() {
                if let Some(row) = slices.row(slice, item) {
                    kernel::prefetch(row);
                    self.rows.push(row);
                    entries.push(slices.numbering.number(shard, item));
                }
            }
        }
        self.score(scratch);
        let mut seeds: Vec<(i32, u32)> = Vec::with_capacity(SEEDS + 1);
        for (&score, &number) in scratch.dots.iter().zip(&entries) {
            let before = |seed: &(i32, u32)| (seed.0, number) > (score, seed.1);
            let at = seeds.partition_point(before);
            if at < SEEDS {
                seeds.insert(at, (score, number));
                seeds.truncate(SEEDS);
            }
        }
        for (score, number) in seeds {
            scratch.visited.mark(number);
            scratch.numbers.push(number);
            self.found(score, number, scratch);
        }
    }

    /// Expands the best node that is not yet, until the beam has none; how many were.
    fn go_on(&mut self, scratch: &mut Scratch) -> u64 {
        let (mut next, mut expanded) = (0, 0);
        while let Some(at) = scratch.beam.unexpanded(next) {
            next = at + 1;
            expanded += 1;
            let node = scratch.beam.expand(at);
            let start = self.look_at_links(node, scratch);
            // Most likely the next one.
            if let Some(number) = scratch.beam.number(next) {
                self.prefetch_links(number);
            }
            self.score(scratch);
            for i in start..scratch.numbers.len() {
                let (score, number) = (scratch.dots[i - start], scratch.numbers[i]);
                if let Some(at) = self.found(score, number, scratch) {
                    next = next.min(at);
                    if at < next + PREFETCH_LINKS {
                        self.prefetch_links(number);
                    }
                }
            }
        }
        expanded
    }

    fn prefetch_links(&self, number: u32) {
        if let Some((slice, _, item)) = self.slices.find(number) {
            slice.links.prefetch(item as usize);
        }
    }

    /// Notes the linked nodes that are new behind the others, and asks for their codes; where the first of them is.
    #[inline]
    fn look_at_links(&mut self, node: u32, scratch: &mut Scratch) -> usize {
        let Scratch {
            visited, numbers, ..
        } = scratch;
        let start = numbers.len();
        self.rows.clear();
        let Some((slice, _, item)) = self.slices.find(node) else {
            return start;
        };
        let links = slice.links.of(item as usize);
        numbers.resize(start + links.len(), 0);
        let mut end = start;
        for &link in links {
            // Written always and counted if new: whether a node is new cannot be foreseen.
            let number = number(link);
            if let Some(place) = numbers.get_mut(end) {
                *place = number;
            }
            end += visited.mark(number);
        }
        numbers.truncate(end);
        for &number in &numbers[start..] {
            let place = self.slices.find(number);
            let row = place.and_then(|(slice, _, item)| self.slices.row(slice, item));
            // A row of no bytes has the lowest of all scores.
            let row = row.unwrap_or_default();
            kernel::prefetch(row);
            self.rows.push(row);
        }
        start
    }

    /// Scores the rows.
    #[inline]
    fn score(&mut self, scratch: &mut Scratch) {
        let rows = self.rows.len();
        self.distances += rows as u64;
        if scratch.dots.len() < rows {
            scratch.dots.resize(rows, 0);
        }
        (self.dot_rows)(&self.rows, self.query, &mut scratch.dots[..rows]);
    }

    /// Puts a node into the lists; its place in the beam.
    #[inline(always)]
    fn found(&mut self, score: i32, number: u32, scratch: &mut Scratch) -> Option<usize> {
        if score == i32::MIN {
            // It is in none of the slices.
            return None;
        }
        if !A::ALL
            && let Some((shard, item)) = self.slices.numbering.place(number)
            && self.accept.accepts(shard, item as u16)
        {
            scratch.results.insert(score, number);
        }
        scratch.beam.insert(score, number)
    }
}

#[cfg(test)]
mod tests;
