//! The order of items in a shard: a bisection of space, so that items near one another in space are near one another
//! in memory.

use nearshelf_index::dot_f32;

/// Items in the last parts of the bisection: their codes fill a page or so.
const LEAF: usize = 16;

/// Orders items by halving them along the line between two means, again and again. `row` gives an item's unit vector.
pub fn bisect<'a>(items: &mut [u32], row: &impl Fn(u32) -> &'a [f32]) {
    const ITERATIONS: usize = 6;
    const SAMPLE: usize = 512;
    if items.len() <= LEAF {
        return;
    }
    let mut means = [row(items[0]).to_vec(), row(items[items.len() / 2]).to_vec()];
    for _ in 0..ITERATIONS {
        let mut sums = [vec![0f32; means[0].len()], vec![0f32; means[0].len()]];
        for &item in items.iter().step_by(items.len().div_ceil(SAMPLE)) {
            let x = row(item);
            let nearer = usize::from(dot_f32(x, &means[1]) > dot_f32(x, &means[0]));
            for (sum, x) in sums[nearer].iter_mut().zip(x) {
                *sum += x;
            }
        }
        for (mean, sum) in means.iter_mut().zip(sums) {
            let norm = dot_f32(&sum, &sum).sqrt();
            if norm > 0.0 {
                *mean = sum.iter().map(|x| x / norm).collect();
            }
        }
    }
    let [a, b] = &means;
    let line: Vec<f32> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let mut placed: Vec<(f32, u32)> = items
        .iter()
        .map(|&item| (dot_f32(row(item), &line), item))
        .collect();
    placed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    for (item, (_, placed)) in items.iter_mut().zip(placed) {
        *item = placed;
    }
    let (left, right) = items.split_at_mut(items.len() / 2);
    bisect(left, row);
    bisect(right, row);
}
