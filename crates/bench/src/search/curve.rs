//! Recall and speed of a search at rising `ef_search`.

/// Candidates kept by each search of a curve.
pub const EF: [usize; 14] = [
    10, 16, 24, 32, 48, 64, 80, 100, 150, 200, 300, 400, 600, 800,
];

/// recall@10 and queries a second, at one `ef_search`.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(from = "(usize, f64, f64)")]
pub struct Point {
    pub recall: f64,
    pub queries_per_second: f64,
}

impl From<(usize, f64, f64)> for Point {
    fn from((_, recall, queries_per_second): (usize, f64, f64)) -> Self {
        Self {
            recall,
            queries_per_second,
        }
    }
}

/// A point for each of [`EF`].
pub type Curve = Vec<Point>;

/// Share of the true neighbours that were found.
pub fn recall(found: &[Vec<u32>], truth: &[Vec<u32>]) -> f64 {
    let right: usize = found
        .iter()
        .zip(truth)
        .map(|(found, truth)| found.iter().filter(|item| truth.contains(item)).count())
        .sum();
    right as f64 / truth.iter().map(Vec::len).sum::<usize>() as f64
}

/// Queries a second at a recall, along the curve: time is taken as linear between two measurements.
pub fn at_recall(curve: &[Point], target: f64) -> Option<f64> {
    let after = curve.iter().position(|point| point.recall >= target)?;
    let high = curve[after];
    if after == 0 {
        return Some(high.queries_per_second);
    }
    let low = curve[after - 1];
    let share = (target - low.recall) / (high.recall - low.recall);
    Some(1.0 / ((1.0 - share) / low.queries_per_second + share / high.queries_per_second))
}
