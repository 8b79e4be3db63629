//! Batches of a stage, drawn before it begins: a stage that is resumed draws the same.

use std::collections::HashMap;

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::examples::{Examples, Texts};
use crate::losses::Mask;
use crate::recipe::{Loss, Stage};

/// Texts of a step, and what is known of them.
pub(crate) struct Batch {
    /// Token ids of all texts, each once.
    pub texts: Vec<Vec<u32>>,
    /// The queries' places among the texts.
    pub queries: Vec<usize>,
    /// The items' places: the columns of the similarities.
    pub items: Vec<usize>,
    /// Each query's positive, a column.
    pub positives: Vec<usize>,
    /// Each query's judged items by level, the best first.
    pub groups: Vec<Vec<Vec<usize>>>,
    /// Items that are negatives of a query, and its positive.
    pub kept: Mask,
    /// A teacher's logits, `[queries][items]`.
    pub teacher: Option<Vec<f32>>,
}

/// Collects the texts of a batch, each once.
#[derive(Default)]
pub(crate) struct Collector {
    pub texts: Vec<Vec<u32>>,
    pub items: Vec<usize>,
    columns: HashMap<usize, usize>,
}

impl Collector {
    /// A text that may be there again.
    pub fn query(&mut self, ids: &[u32]) -> usize {
        self.texts.push(ids.to_vec());
        self.texts.len() - 1
    }

    /// The column of an item.
    pub fn item(&mut self, item: usize, items: &Texts) -> usize {
        if let Some(&column) = self.columns.get(&item) {
            return column;
        }
        self.texts.push(items.ids[item].clone());
        self.items.push(self.texts.len() - 1);
        self.columns.insert(item, self.items.len() - 1);
        self.items.len() - 1
    }

    /// The items' columns.
    pub fn columns(&self) -> &HashMap<usize, usize> {
        &self.columns
    }
}

/// Which examples each batch of a stage draws: a data set's place in the stage's list, and in it pairs
/// (for contrastive losses) or groups.
pub(crate) struct Plan {
    pub batches: Vec<(usize, Vec<usize>)>,
}

impl Plan {
    /// Goes through every data set in a new order each time; data sets take turns by their sizes.
    pub fn new(stage: &Stage, data: &[&Examples], seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let pools: Vec<Vec<usize>> = data.iter().map(|examples| pool(stage, examples)).collect();
        let total: usize = pools.iter().map(Vec::len).sum();
        let mut queues: Vec<Vec<Vec<usize>>> = vec![vec![]; pools.len()];
        let batches = (0..stage.steps * stage.accumulate)
            .map(|_| {
                let mut draw = rng.random_range(0..total.max(1));
                let set = pools.iter().position(|pool| {
                    let inside = draw < pool.len();
                    draw = draw.wrapping_sub(pool.len());
                    inside
                });
                let set = set.unwrap_or_default();
                if queues[set].is_empty() {
                    queues[set] = epoch(stage, data[set], &pools[set], &mut rng);
                }
                (set, queues[set].pop().unwrap_or_default())
            })
            .collect();
        Plan { batches }
    }
}

/// Whether batches are made of groups, with all their levels.
fn graded(stage: &Stage) -> bool {
    matches!(stage.loss, Loss::Roar { .. } | Loss::Mmse { .. })
}

/// The material that batches are drawn from.
fn pool(stage: &Stage, examples: &Examples) -> Vec<usize> {
    if graded(stage) {
        let groups = examples.groups.iter().enumerate();
        let good = groups.filter(|(_, g)| !g.positives.is_empty());
        good.map(|(number, _)| number).collect()
    } else {
        (0..examples.pairs.len()).collect()
    }
}

/// All of a data set in batches, in a new order; the last, smaller one is left out, if it is not the only
/// one.
fn epoch(
    stage: &Stage,
    examples: &Examples,
    pool: &[usize],
    rng: &mut ChaCha8Rng,
) -> Vec<Vec<usize>> {
    let mut order = pool.to_vec();
    order.shuffle(rng);
    let length = |&index: &usize| {
        let group = match graded(stage) {
            true => index,
            false => examples.pairs[index].0,
        };
        let query = examples.queries.ids[examples.groups[group].query].len();
        let item = match graded(stage) {
            true => 0,
            false => examples.items.ids[examples.pairs[index].1].len(),
        };
        query + item
    };
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for window in order.chunks_mut(stage.batch * stage.bucket) {
        if stage.bucket > 1 {
            window.sort_by_key(length);
        }
        let whole = window
            .chunks(stage.batch)
            .filter(|b| b.len() == stage.batch);
        batches.extend(whole.map(<[usize]>::to_vec));
    }
    if batches.is_empty() {
        batches.push(order);
    }
    if stage.bucket > 1 {
        batches.shuffle(rng);
    }
    batches
}

/// Makes a batch of what was drawn. `negatives` has the hard negatives of each group.
pub(crate) fn draw(
    stage: &Stage,
    examples: &Examples,
    negatives: Option<&Vec<Vec<usize>>>,
    drawn: &[usize],
    seed: u64,
) -> Batch {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut collector = Collector::default();
    let mut queries = Vec::new();
    let mut positives = Vec::new();
    let mut groups = Vec::new();
    let mut of_group = Vec::new();
    for &index in drawn {
        let (number, positive) = match graded(stage) {
            false => examples.pairs[index],
            true => {
                let positives = &examples.groups[index].positives;
                (index, positives[rng.random_range(0..positives.len())])
            }
        };
        let group = &examples.groups[number];
        queries.push(collector.query(&examples.queries.ids[group.query]));
        positives.push(collector.item(positive, &examples.items));
        of_group.push(number);
        groups.push(match graded(stage) {
            false => vec![],
            true => levels(stage, examples, number, positive, &mut collector, &mut rng),
        });
        if let (Some(negatives), Some(hard)) = (negatives, stage.hard_negatives) {
            let found = &negatives[number];
            for &item in found.iter().take(hard.count) {
                collector.item(item, &examples.items);
            }
        }
    }
    let mut kept = Mask::all(queries.len(), collector.items.len());
    for (row, &number) in of_group.iter().enumerate() {
        // What was judged good is no negative, and the query again has no negatives in its own items.
        let group = &examples.groups[number];
        let level_of = |item: usize| {
            group
                .items
                .iter()
                .find(|(i, _)| *i == item)
                .map(|(_, l)| *l)
        };
        let columns = collector.columns();
        let positive = columns
            .iter()
            .find(|(_, column)| **column == positives[row]);
        let positive_level = positive.and_then(|(item, _)| level_of(*item));
        for (item, level) in &group.items {
            let Some(&column) = columns.get(item) else {
                continue;
            };
            let good = group.positives.contains(item) || Some(*level) >= positive_level;
            if column != positives[row] && good {
                kept.leave_out(row, column);
            }
        }
    }
    Batch {
        texts: collector.texts,
        queries,
        items: collector.items,
        positives,
        groups,
        kept,
        teacher: None,
    }
}

/// Some of a group's items by level, the best first; the positive is among them, and every level if
/// there is room.
fn levels(
    stage: &Stage,
    examples: &Examples,
    number: usize,
    positive: usize,
    collector: &mut Collector,
    rng: &mut ChaCha8Rng,
) -> Vec<Vec<usize>> {
    let mut items = examples.groups[number].items.clone();
    items.shuffle(rng);
    // The positive, then one of each other level, then the rest.
    let of_positive = items.iter().find(|(item, _)| *item == positive);
    let mut seen: Vec<u32> = of_positive.map(|(_, level)| *level).into_iter().collect();
    let mut first_of_level: Vec<bool> = Vec::new();
    for (item, level) in &items {
        let first = *item != positive && !seen.contains(level);
        if first {
            seen.push(*level);
        }
        first_of_level.push(first);
    }
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|&i| (items[i].0 != positive, !first_of_level[i]));
    let mut chosen: Vec<(u32, usize)> = order
        .into_iter()
        .take(stage.items)
        .map(|i| (items[i].1, collector.item(items[i].0, &examples.items)))
        .collect();
    chosen.sort_by_key(|&(level, column)| (std::cmp::Reverse(level), column));
    chosen
        .chunk_by(|a, b| a.0 == b.0)
        .map(|level| level.iter().map(|(_, column)| *column).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::{Group, Summary};

    fn texts(count: usize) -> Texts {
        let ids = (0..count).map(|i| vec![1; 2 + i % 5]).collect();
        Texts::new((0..count).map(|i| i.to_string()).collect(), ids)
    }

    /// Query 0: items 0 and 1 fit, 2 does not. Query 1: item 3 fits, 0 does not. Others: an item each.
    fn examples(more: usize) -> Examples {
        let group = |query, items: &[(usize, u32)], positives: &[usize]| Group {
            query,
            items: items.to_vec(),
            positives: positives.to_vec(),
        };
        let mut groups = vec![
            group(0, &[(0, 3), (1, 3), (2, 1)], &[0, 1]),
            group(1, &[(3, 3), (0, 1)], &[3]),
        ];
        let mut pairs = vec![(0, 0), (0, 1), (1, 3)];
        for i in 0..more {
            groups.push(group(2 + i, &[(4 + i, 3)], &[4 + i]));
            pairs.push((2 + i, 4 + i));
        }
        Examples {
            queries: texts(2 + more),
            items: texts(4 + more),
            pairs,
            groups,
            dev: vec![],
            summary: Summary::default(),
        }
    }

    fn stage(loss: &str, batch: usize, more: &str) -> Stage {
        let text = format!(
            "name = \"s\"\ndata = [\"d\"]\nsteps = 12\nbatch = {batch}\nlearning_rate = 1e-3\nloss = {loss}\n{more}"
        );
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn an_epoch_has_every_pair_once_in_or_out_of_buckets() {
        let examples = examples(13);
        for bucket in [1, 2] {
            let stage = stage("{ kind = \"mnrl\" }", 4, &format!("bucket = {bucket}"));
            let plan = Plan::new(&stage, &[&examples], 5);
            assert_eq!(plan.batches.len(), 12);
            for epoch in plan.batches.chunks(4) {
                let mut drawn: Vec<usize> = epoch.iter().flat_map(|(_, b)| b.clone()).collect();
                drawn.sort_unstable();
                assert_eq!(drawn, (0..16).collect::<Vec<_>>());
            }
            assert_eq!(plan.batches, Plan::new(&stage, &[&examples], 5).batches);
            assert_ne!(plan.batches, Plan::new(&stage, &[&examples], 6).batches);
        }
    }

    #[test]
    fn what_was_judged_good_is_no_negative_and_what_was_judged_bad_is_one() {
        let examples = examples(0);
        let stage = stage("{ kind = \"mnrl\" }", 3, "");
        let batch = draw(&stage, &examples, None, &[0, 1, 2], 1);
        // Columns: items 0, 1 and 3.
        assert_eq!(batch.positives, [0, 1, 2]);
        let kept = |row: usize| (0..3).map(|c| batch.kept.keeps(row, c)).collect::<Vec<_>>();
        assert_eq!(kept(0), [true, false, true]);
        assert_eq!(kept(1), [false, true, true]);
        // Item 0 was judged for query 1 too, and found not to fit.
        assert_eq!(kept(2), [true, true, true]);
    }

    #[test]
    fn graded_batches_have_the_positive_and_as_many_levels_as_fit() {
        let examples = examples(0);
        for seed in 0..20 {
            let stage = stage("{ kind = \"roar\", contrastive = 1.0 }", 2, "items = 2");
            let batch = draw(&stage, &examples, None, &[0, 1], seed);
            for (row, groups) in batch.groups.iter().enumerate() {
                assert_eq!(groups.len(), 2, "the best and a worse one");
                assert_eq!(groups[0], [batch.positives[row]]);
            }
        }
    }

    #[test]
    fn hard_negatives_are_columns_of_their_own() {
        let examples = examples(3);
        let stage = stage(
            "{ kind = \"mnrl\" }",
            2,
            "hard_negatives = { count = 1, depth = 5 }",
        );
        let negatives = vec![vec![6, 5]; 5];
        let batch = draw(&stage, &examples, Some(&negatives), &[0, 2], 1);
        assert_eq!((batch.queries.len(), batch.items.len()), (2, 3));
        assert!(batch.kept.keeps(0, 1) && batch.kept.keeps(1, 1));
    }
}
