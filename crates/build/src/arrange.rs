//! The living items of a shelf that was updated, in its shards: those that were added come behind their nearest neighbour.

use nearshelf_index::{CodedVectors, Numbering, Query, dot_f32};

use crate::error::{Error, Result};
use crate::link::{GONE, Vectors, carry};
use crate::make::{Arranged, Making, asked, bridging_queries};
use crate::partition::Partition;
use crate::update::Opened;

/// A shelf of which fewer of the built items live is made anew: its graph has too many holes.
const LIVING: f64 = 0.5;

/// Arranges the living items of a shelf, whose places are given in the order of the items; `None` where a shelf that is made
/// anew is better.
///
/// # Errors
/// A thread that cannot be started, links that do not fit a shard.
pub(crate) fn arrange(
    opened: &Opened,
    places: &[(u32, u32)],
    making: &Making<'_>,
) -> Result<Option<Arranged>> {
    let shards = &opened.manifest.shards;
    let built = shards.iter().take_while(|shard| !shard.added).count();
    let items: u32 = shards[..built].iter().map(|shard| shard.items).sum();
    let alive = places
        .iter()
        .filter(|(shard, _)| (*shard as usize) < built)
        .count();
    let room = built * opened.recipe.shard_size as usize;
    if places.len() > room || (alive as f64) < LIVING * f64::from(items) {
        return Ok(None);
    }
    let members = members(opened, places, built)?;
    let numbering = Numbering::new(members.iter().map(|members| members.len() as u32));
    let olds = opened.catalog.numbering();
    let mut old = vec![GONE; numbering.len()];
    let mut new = vec![GONE; olds.len()];
    let mut coded = Vec::with_capacity(built);
    for (shard, members) in members.iter().enumerate() {
        let dims = opened.manifest.dims as usize;
        let mut vectors = CodedVectors::new(dims, opened.recipe.precision());
        for (item, &member) in (0u32..).zip(members) {
            let (from, place) = places[member as usize];
            let codes = opened.catalog.shard(from as usize);
            let codes = codes.and_then(|shard| shard.codes(place as usize).ok().flatten());
            vectors.push_codes(codes.ok_or(Error::Unreadable)?);
            let number = numbering.number(shard, item);
            let before = olds.number(from as usize, place);
            old[number as usize] = before;
            new[before as usize] = number;
        }
        coded.push(vectors);
    }
    let coded = Vectors::new(coded);
    let partition = Partition {
        centroids: centroids(&coded, opened),
        members,
    };
    let asked = asked(later_queries(places, built, making)?, &partition, &coded);
    let linking = making.options.linking(making.threads, making.progress);
    let graph = carry(&opened.catalog, &coded, &old, &new, &asked, &linking)?;
    Ok(Some(Arranged {
        partition,
        coded,
        graph,
    }))
}

/// The middle of each shard.
fn centroids(coded: &Vectors, opened: &Opened) -> Vec<Vec<f32>> {
    let shards = coded.shards().iter().zip(&opened.manifest.shards);
    let centroids = shards.map(|(coded, shard)| {
        let mean = mean(coded);
        if mean.is_empty() {
            shard.centroid.clone()
        } else {
            mean
        }
    });
    centroids.collect()
}

/// Queries of the words of items that came later, each with its item.
fn later_queries(
    places: &[(u32, u32)],
    built: usize,
    making: &Making<'_>,
) -> Result<Vec<(usize, Query)>> {
    let later = (0..places.len()).filter(|&item| places[item].0 as usize >= built);
    let later: Vec<usize> = later.collect();
    if later.is_empty() {
        return Ok(vec![]);
    }
    let texts: Vec<String> = later
        .iter()
        .map(|&item| making.items.texts[item].clone())
        .collect();
    let queries = making.model.queries();
    let queries = bridging_queries(
        queries,
        &texts,
        making.options,
        making.threads,
        making.progress,
    )?;
    Ok(queries
        .into_iter()
        .map(|(at, query)| (later[at], query))
        .collect())
}

/// The items of each shard in their order.
fn members(opened: &Opened, places: &[(u32, u32)], built: usize) -> Result<Vec<Vec<u32>>> {
    let slices = opened.catalog.slices().map_err(|_| Error::Unreadable)?;
    let olds = opened.catalog.numbering();
    // By shard: a place among the items of the build, whether the item came later, and the item.
    let mut ordered: Vec<Vec<(u32, bool, u32)>> = vec![Vec::new(); built];
    let mut later = Vec::new();
    for (item, &(shard, place)) in (0u32..).zip(places) {
        match ordered.get_mut(shard as usize) {
            Some(ordered) => ordered.push((place, false, item)),
            None => later.push((item, olds.number(shard as usize, place))),
        }
    }
    for (item, number) in later {
        let mut built_ones = slices.links(number).filter_map(|link| olds.place(link));
        let near = built_ones.find(|(shard, _)| *shard < built);
        let (shard, place) = near.unwrap_or((0, 0));
        let has_room = |shard: usize| ordered[shard].len() < opened.recipe.shard_size as usize;
        let shard = match has_room(shard) {
            true => shard,
            // There is room for all somewhere.
            false => (0..built).find(|&shard| has_room(shard)).unwrap_or(shard),
        };
        ordered[shard].push((place, true, item));
    }
    let members = ordered.into_iter().map(|mut ordered| {
        ordered.sort_unstable();
        ordered.into_iter().map(|(.., item)| item).collect()
    });
    Ok(members.collect())
}

/// The unit vector in the middle of vectors; empty where there is none.
fn mean(coded: &CodedVectors) -> Vec<f32> {
    let mut sum = vec![0f32; coded.dims()];
    for item in 0..coded.len() {
        let vector = coded.codes(item).decode(coded.precision(), coded.dims());
        sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += x);
    }
    let length = dot_f32(&sum, &sum).sqrt();
    match length > 0.0 {
        true => sum.iter().map(|x| x / length).collect(),
        false => vec![],
    }
}
