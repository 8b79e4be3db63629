//! Graded metrics over ranked lists. Where trec_eval has the metric, the numbers are its own.

use std::collections::HashMap;

use serde::Serialize;

use crate::beir::Qrels;
use crate::run::Run;

/// The metrics of one query at depth K. With grades g, gains G and items in the order of their rank:
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Scores {
    /// Relevant items among the first K / relevant items (trec_eval's `recall_K`).
    pub recall: f64,
    /// The same over min(K, relevant items): 1 is within reach whatever their number.
    pub recall_capped: f64,
    /// 1 / rank of the first relevant item, 0 past K (`recip_rank` of a run of depth K).
    pub mrr: f64,
    /// DCG / DCG of the best order, DCG = Σ_r G_r / log2(r + 1), r = 1 … K, with G = 2^g − 1
    /// (Burges et al. 2005).
    pub ndcg_exponential: f64,
    /// The same with G = g (Järvelin and Kekäläinen 2002; trec_eval's `ndcg_cut_K`).
    pub ndcg_linear: f64,
    /// 1 when a relevant item is among the first K (`success_K`).
    pub hit: f64,
}

/// A 95 % confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Means over queries.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// Depth K.
    pub k: usize,
    /// Queries that count: those with at least one relevant item.
    pub queries: usize,
    /// The means.
    #[serde(flatten)]
    pub mean: Scores,
    /// Where the share of queries with a hit lies (Wilson 1927).
    pub hit_interval: Interval,
    /// Each query's own scores.
    #[serde(skip)]
    pub by_query: Vec<(String, Scores)>,
}

/// Scores a run. An item is relevant from grade `relevant` on; an unjudged one counts as grade 0.
/// Queries without a relevant item are left out, those that the run does not answer score 0.
pub fn evaluate(run: &Run, qrels: &Qrels, k: usize, relevant: f64) -> Metrics {
    let by_query: Vec<(String, Scores)> = qrels
        .iter()
        .filter(|(_, grades)| grades.values().any(|&g| g >= relevant))
        .map(|(query, grades)| {
            let ranked = run.get(query).map(Vec::as_slice).unwrap_or_default();
            let items: Vec<&str> = ranked.iter().map(|(item, _)| item.as_str()).collect();
            (query.clone(), evaluate_query(&items, grades, k, relevant))
        })
        .collect();
    let queries = by_query.len();
    let mean = |metric: fn(&Scores) -> f64| {
        by_query.iter().map(|(_, s)| metric(s)).sum::<f64>() / queries.max(1) as f64
    };
    let mean = Scores {
        recall: mean(|s| s.recall),
        recall_capped: mean(|s| s.recall_capped),
        mrr: mean(|s| s.mrr),
        ndcg_exponential: mean(|s| s.ndcg_exponential),
        ndcg_linear: mean(|s| s.ndcg_linear),
        hit: mean(|s| s.hit),
    };
    let hits = by_query.iter().filter(|(_, s)| s.hit > 0.0).count();
    Metrics {
        k,
        queries,
        mean,
        hit_interval: wilson(hits, queries),
        by_query,
    }
}

/// Scores one ranked list.
pub fn evaluate_query(
    ranked: &[&str],
    grades: &HashMap<String, f64>,
    k: usize,
    relevant: f64,
) -> Scores {
    let top = &ranked[..ranked.len().min(k)];
    let grade = |item: &str| grades.get(item).copied().unwrap_or(0.0);
    let all = grades.values().filter(|&&g| g >= relevant).count();
    let found = top.iter().filter(|item| grade(item) >= relevant).count();
    let first = top.iter().position(|item| grade(item) >= relevant);
    let share = |of: usize| {
        if of == 0 {
            0.0
        } else {
            found as f64 / of as f64
        }
    };

    let mut best: Vec<f64> = grades.values().copied().collect();
    best.sort_by(|a, b| b.total_cmp(a));
    let ndcg = |gain: fn(f64) -> f64| {
        let dcg = |grades: &mut dyn Iterator<Item = f64>| -> f64 {
            let discounted =
                |(rank, g): (usize, f64)| gain(g.max(0.0)) / (rank as f64 + 1.0).log2();
            (1..).zip(grades).take(k).map(discounted).sum()
        };
        let ideal = dcg(&mut best.iter().copied());
        if ideal > 0.0 {
            dcg(&mut top.iter().map(|item| grade(item))) / ideal
        } else {
            0.0
        }
    };
    Scores {
        recall: share(all),
        recall_capped: share(all.min(k)),
        mrr: first.map_or(0.0, |at| 1.0 / (at + 1) as f64),
        ndcg_exponential: ndcg(|g| g.exp2() - 1.0),
        ndcg_linear: ndcg(|g| g),
        hit: f64::from(first.is_some()),
    }
}

/// Wilson's 95 % interval of a share: it stays inside 0 … 1 and holds for few queries.
pub fn wilson(hits: usize, of: usize) -> Interval {
    /// The normal distribution's 97.5 % point.
    const Z: f64 = 1.959_963_984_540_054;
    if of == 0 {
        return Interval {
            low: 0.0,
            high: 1.0,
        };
    }
    let (n, p) = (of as f64, hits as f64 / of as f64);
    let middle = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    Interval {
        low: (middle - half).max(0.0),
        high: (middle + half).min(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn grades(pairs: &[(&str, f64)]) -> HashMap<String, f64> {
        pairs
            .iter()
            .map(|(item, g)| (item.to_string(), *g))
            .collect()
    }

    #[test]
    fn worked_out_by_hand() {
        let grades = grades(&[("a", 3.0), ("b", 1.0), ("c", 2.0), ("z", 0.0)]);
        let scores = evaluate_query(&["z", "a", "x", "b"], &grades, 4, 2.0);
        assert_eq!(scores.recall, 0.5);
        assert_eq!(scores.mrr, 0.5);
        assert_eq!(scores.hit, 1.0);
        let (l3, l5) = (3f64.log2(), 5f64.log2());
        let linear = (3.0 / l3 + 1.0 / l5) / (3.0 + 2.0 / l3 + 1.0 / 2.0);
        assert!((scores.ndcg_linear - linear).abs() < 1e-12);
        let exponential = (7.0 / l3 + 1.0 / l5) / (7.0 + 3.0 / l3 + 1.0 / 2.0);
        assert!((scores.ndcg_exponential - exponential).abs() < 1e-12);
    }

    #[test]
    fn recall_is_capped_by_depth() {
        let grades = grades(&[("a", 1.0), ("b", 1.0), ("c", 1.0)]);
        let scores = evaluate_query(&["a", "b"], &grades, 2, 1.0);
        assert_eq!((scores.recall, scores.recall_capped), (2.0 / 3.0, 1.0));
    }

    #[test]
    fn wilson_as_published() {
        // Newcombe 1998, table I: 81 of 263 is 0.2553 to 0.3662.
        let interval = wilson(81, 263);
        assert!((interval.low - 0.2553).abs() < 5e-5 && (interval.high - 0.3662).abs() < 5e-5);
        assert_eq!(
            wilson(0, 0),
            Interval {
                low: 0.0,
                high: 1.0
            }
        );
    }

    proptest! {
        #[test]
        fn the_best_order_scores_one_and_none_more(
            all in prop::collection::vec(0u8..4, 1..30), k in 1usize..20
        ) {
            let grades: HashMap<String, f64> =
                all.iter().enumerate().map(|(i, &g)| (i.to_string(), g.into())).collect();
            let mut best: Vec<&str> = grades.keys().map(String::as_str).collect();
            let any: Vec<&str> = best.clone();
            best.sort_by(|a, b| grades[*b].total_cmp(&grades[*a]));
            let (best, any) =
                (evaluate_query(&best, &grades, k, 1.0), evaluate_query(&any, &grades, k, 1.0));
            if all.iter().any(|&g| g > 0) {
                prop_assert!((best.ndcg_linear - 1.0).abs() < 1e-12);
                prop_assert!((best.ndcg_exponential - 1.0).abs() < 1e-12);
                prop_assert!((best.recall_capped - 1.0).abs() < 1e-12);
            }
            prop_assert!(any.ndcg_linear <= best.ndcg_linear + 1e-12);
            prop_assert!(any.mrr <= best.mrr && any.recall <= best.recall);
        }
    }
}
