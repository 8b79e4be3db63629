//! The search of a shelf's graph: best first, from the nearest of some entry nodes (HNSW, Malkov and Yashunin 2018,
//! algorithm 2 on the lowest layer; Vamana, Subramanya et al. 2019, algorithm 1).
//!
//! The *beam* is the way of a walk: the best nodes seen that may be hits. Where not all may, the walk goes through the graph of
//! those that may: from a node to those of its links, and where these are few, to the links of the others, which are not
//! scored (ACORN, Patel et al. 2024, section 5). So a walk never stands among nodes that are near and of no use, as it
//! would where a filter allows what is far from the query.

mod params;
mod scratch;

use self::params::{NEAR, NEAR_SHARE, NEAREST, PREFETCH_LINKS, SEEDS};
pub use self::scratch::Scratch;
use crate::accept::Accept;
use crate::candidates::Candidates;
use crate::codes::Query;
use crate::kernel::{self, DotRows};
use crate::links::{MAX_LINKS, number};
use crate::slices::Slices;

/// Links that may be hits from which on those of the other links are not looked at.
const ENOUGH_LINKS: usize = 16;
/// Links that may be hits, seen before or not, from which on few of the others are gone through.
const HALF_ENOUGH: usize = ENOUGH_LINKS / 2;

impl Slices<'_> {
    /// Walks the graph for the query's nearest items among those that `accept` takes.
    ///
    /// A query of other dimensions than the slices' finds nothing.
    pub fn walk<A: Accept>(
        &self,
        query: &Query,
        ef: usize,
        accept: &A,
        scratch: &mut Scratch,
    ) -> Candidates {
        if query.dims() != self.dims() {
            return Candidates::default();
        }
        let numbers = self.numbering.len();
        scratch.visited.reset(numbers, &scratch.numbers);
        scratch.numbers.clear();
        if !A::ALL {
            scratch.passed.reset(numbers, &scratch.through);
            scratch.through.clear();
        }
        scratch.beam.reset(ef.max(1));
        let mut walk = Walk::new(self, query, accept);
        walk.start(scratch);
        let expanded = walk.go_on(scratch);
        let best = self.candidates(&scratch.beam, ef);
        let last = best.get(NEAREST.min(best.len()).wrapping_sub(1));
        let is_behind = last.is_none_or(|last| last.score < walk.nearest_other);
        Candidates {
            is_behind: !A::ALL && is_behind,
            best,
            distances: walk.distances,
            expanded,
        }
    }

    /// The share of items that `accept` takes among those near the query, by the nearest entry nodes.
    pub fn share_near<A: Accept>(&self, query: &Query, accept: &A, scratch: &mut Scratch) -> f64 {
        let mut walk = Walk::new(self, query, accept);
        let entries = walk.entries(scratch);
        let mut nearest: Vec<(i32, u32)> = scratch.dots.iter().copied().zip(entries).collect();
        nearest.sort_unstable_by_key(|&(score, number)| (std::cmp::Reverse(score), number));
        nearest.truncate((nearest.len() / NEAR_SHARE).clamp(1, NEAR));
        let accepted = nearest.iter().filter(|(_, number)| walk.accepts(*number));
        accepted.count() as f64 / nearest.len().max(1) as f64
    }
}

/// A walk in progress. `rows` are the codes of the scratch's `numbers`, to be scored next.
struct Walk<'a, 's, A> {
    slices: &'a Slices<'s>,
    query: &'a [i8],
    accept: &'a A,
    dot_rows: DotRows,
    rows: Vec<&'s [u8]>,
    /// Linked nodes that may be no hits.
    others: Vec<u32>,
    /// The best score of the entry nodes that may be no hits.
    nearest_other: i32,
    distances: u64,
}

impl<'a, 's, A: Accept> Walk<'a, 's, A> {
    fn new(slices: &'a Slices<'s>, query: &'a Query, accept: &'a A) -> Self {
        Walk {
            slices,
            query: query.coarse(),
            accept,
            dot_rows: kernel::dot_rows(),
            rows: Vec::with_capacity(MAX_LINKS),
            others: Vec::new(),
            nearest_other: i32::MIN,
            distances: 0,
        }
    }

    /// Scores the entry nodes; their numbers.
    fn entries(&mut self, scratch: &mut Scratch) -> Vec<u32> {
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
        entries
    }

    /// Fills the beam with the best of the entry nodes.
    fn start(&mut self, scratch: &mut Scratch) {
        let entries = self.entries(scratch);
        let mut seeds: Vec<(i32, u32)> = Vec::with_capacity(SEEDS + 1);
        for (&score, &number) in scratch.dots.iter().zip(&entries) {
            if !A::ALL && !self.accepts(number) {
                self.nearest_other = self.nearest_other.max(score);
                continue;
            }
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
            let start = match A::ALL {
                true => self.look_at_links(node, scratch),
                false => self.look_at_allowed_links(node, scratch),
            };
            // Most likely the next one.
            if let Some(number) = scratch.beam.number(next) {
                self.prefetch_links(number);
                if let Some(added) = self.slices.added {
                    added.prefetch_links(number);
                }
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
        if let Some(added) = self.slices.added {
            added.prefetch(number);
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
        let added = self.slices.added.map_or(&[][..], |added| added.of(node));
        numbers.resize(start + links.len() + added.len(), 0);
        let mut end = start;
        let links = links.iter().map(|&link| number(link));
        for number in links.chain(added.iter().copied()) {
            // Written always and counted if new: whether a node is new cannot be foreseen.
            if let Some(place) = numbers.get_mut(end) {
                *place = number;
            }
            end += visited.mark(number);
        }
        numbers.truncate(end);
        self.ask_for_rows(start, scratch);
        start
    }

    /// The same for the linked nodes that may be hits; where they are few, with those that the other links lead to.
    fn look_at_allowed_links(&mut self, node: u32, scratch: &mut Scratch) -> usize {
        let start = scratch.numbers.len();
        self.rows.clear();
        self.others.clear();
        let direct = self.note_allowed(node, scratch);
        let others = match direct {
            // The others lead to as many each, most of them seen before: to look at all of them for the last new ones would cost
            // more than the nodes of the next steps do.
            HALF_ENOUGH.. => ENOUGH_LINKS.saturating_sub(direct).div_ceil(direct),
            _ => self.others.len(),
        };
        for next in 0..others.min(self.others.len()) {
            if scratch.numbers.len() >= start + ENOUGH_LINKS {
                break;
            }
            let through = self.others[next];
            // Once for all nodes that link to it.
            if scratch.passed.mark(through) == 1 {
                scratch.through.push(through);
                self.note_allowed(through, scratch);
            }
        }
        self.ask_for_rows(start, scratch);
        start
    }

    fn accepts(&self, number: u32) -> bool {
        let place = self.slices.numbering.place(number);
        place.is_some_and(|(shard, item)| self.accept.accepts(shard, item as u16))
    }

    /// Notes the links of a node that are new and may be hits, and the others; how many may be hits, new or not.
    fn note_allowed(&mut self, node: u32, scratch: &mut Scratch) -> usize {
        let Some((slice, _, item)) = self.slices.find(node) else {
            return 0;
        };
        let added = self.slices.added.map_or(&[][..], |added| added.of(node));
        let links = slice.links.of(item as usize).iter();
        let mut allowed = 0;
        for number in links.map(|&link| number(link)).chain(added.iter().copied()) {
            if !self.accepts(number) {
                self.others.push(number);
                continue;
            }
            allowed += 1;
            if scratch.visited.mark(number) == 1 {
                scratch.numbers.push(number);
            }
        }
        allowed
    }

    /// Asks for the codes of the nodes from `start` on.
    #[inline(always)]
    fn ask_for_rows(&mut self, start: usize, scratch: &Scratch) {
        for &number in &scratch.numbers[start..] {
            let place = self.slices.find(number);
            let row = place.and_then(|(slice, _, item)| self.slices.row(slice, item));
            // A row of no bytes has the lowest of all scores.
            let row = row.unwrap_or_default();
            kernel::prefetch(row);
            self.rows.push(row);
        }
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

    /// Puts a node into the beam; its place there.
    #[inline(always)]
    fn found(&mut self, score: i32, number: u32, scratch: &mut Scratch) -> Option<usize> {
        // The lowest of all scores: it is in none of the slices.
        if score == i32::MIN {
            return None;
        }
        scratch.beam.insert(score, number)
    }
}

#[cfg(test)]
mod tests;
