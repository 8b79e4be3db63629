//! Which of an item's neighbours it is linked with: those that lead in different directions.

use nearshelf_index::codes::Codes;
use nearshelf_index::kernel;

use super::linking::Linking;
use super::lists::Lists;
use super::vectors::{Coded, Vectors};
use crate::error::Result;

/// Links of an item at most, before queries ask for more.
const DEGREE: usize = 32;
/// Nearest candidates that are looked at, at most.
const CANDIDATES: usize = 160;

/// Memory that prunings reuse.
#[derive(Default)]
pub struct Pruning {
    numbers: Vec<u32>,
    dots: Vec<i32>,
}

/// Of the candidates, nearest first, those that are nearer to the item than to each that was chosen before
/// (the heuristic of HNSW, Malkov and Yashunin 2018, algorithm 4; α = 1 of Vamana).
pub fn prune(
    vectors: &impl Coded,
    item: u32,
    candidates: impl Iterator<Item = u32>,
    work: &mut Pruning,
) -> Vec<u32> {
    let Pruning { numbers, dots } = work;
    numbers.clear();
    numbers.extend(candidates.filter(|&other| other != item));
    numbers.sort_unstable();
    numbers.dedup();
    let (Some(own), Some(query)) = (vectors.codes(item), vectors.query(item)) else {
        return vec![];
    };
    let coded: Vec<(u32, Codes<'_>)> = numbers
        .iter()
        .filter_map(|&number| Some((number, vectors.codes(number)?)))
        .collect();
    let rows: Vec<&[u8]> = coded.iter().map(|(_, codes)| codes.coarse).collect();
    dots.resize(rows.len(), 0);
    let dot_rows = kernel::dot_rows();
    dot_rows(&rows, query.coarse(), dots);
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_unstable_by_key(|&i| (std::cmp::Reverse(dots[i]), coded[i].0));
    order.truncate(CANDIDATES);

    let mut chosen = Vec::with_capacity(DEGREE);
    // The item's own row first: what the others are compared with.
    let mut compared: Vec<&[u8]> = Vec::with_capacity(DEGREE + 1);
    compared.push(own.coarse);
    let mut to_compared = [0; DEGREE + 1];
    for i in order {
        let (number, codes) = coded[i];
        if let Some(query) = vectors.query(number) {
            dot_rows(&compared, query.coarse(), &mut to_compared);
            let [to_item, to_chosen @ ..] = &to_compared[..compared.len()] else {
                continue;
            };
            if to_chosen.iter().any(|dot| dot >= to_item) {
                continue;
            }
            chosen.push(number);
            compared.push(codes.coarse);
            if chosen.len() == DEGREE {
                break;
            }
        }
    }
    chosen
}

/// Adds the links of the other direction, and prunes again.
pub fn with_reversed(vectors: &Vectors, lists: &Lists, linking: &Linking<'_>) -> Result<Lists> {
    let reversed = lists.reversed();
    Lists::make(vectors, linking, |item, work: &mut Pruning| {
        let candidates = lists.of(item).iter().chain(reversed.of(item));
        prune(vectors, item, candidates.copied(), work)
    })
}
