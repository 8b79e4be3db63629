//! Evals of a model: judged queries over a corpus, or over each query's judged items.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use nearshelf_datasets::{Judged, read};
use nearshelf_eval::{Bm25, Metrics, Qrels, Run, evaluate};
use rayon::prelude::*;

use crate::bert::{Into, Matrix, multiply};
use crate::error::{Error, Result};
use crate::recipe::{Eval, MaxTokens, Metric, Rerank};
use crate::tower::Tower;

/// Depth of the metrics.
pub(crate) const K: usize = 10;
/// Queries that are compared with the corpus at a time.
const BLOCK: usize = 64;

/// An eval, read.
pub(crate) struct EvalSet {
    pub name: String,
    pub metric: Metric,
    pub queries: Vec<String>,
    /// Times that each is asked, and its vertical.
    pub weights: Vec<f32>,
    pub verticals: Vec<Option<String>>,
    pub items: Vec<String>,
    /// Each query's judged items with their grades.
    judged: Vec<Vec<(usize, f64)>>,
    rerank: bool,
    relevant: f64,
}

impl EvalSet {
    /// Reads an eval's judgements and corpus.
    pub fn read(eval: &Eval, root: &Path) -> Result<Self> {
        let rows = read(&eval.source, root)?.rows;
        let mut corpus = Vec::new();
        for table in &eval.corpus {
            corpus.extend(table.read(root)?.into_iter().map(|(_, text)| text));
        }
        let mut set = Self::of_rows(&eval.name, &rows, corpus, eval.metric, eval.rerank);
        for (_, grade) in set.judged.iter_mut().flatten() {
            *grade -= f64::from(eval.grade_from);
        }
        set.relevant = f64::from(eval.relevant);
        let relevant = |judged: &Vec<(usize, f64)>| judged.iter().any(|(_, g)| *g >= set.relevant);
        if !set.judged.iter().any(relevant) {
            return Err(Error::Data {
                name: eval.name.clone(),
                expected: format!("queries with an item of grade {} or more", eval.relevant),
                found: "none".into(),
            });
        }
        Ok(set)
    }

    /// Makes an eval of rows. A query is one text, whatever its rows; of equal items the first counts.
    pub fn of_rows(
        name: &str,
        rows: &[Judged],
        corpus: Vec<String>,
        metric: Metric,
        rerank: Option<Rerank>,
    ) -> Self {
        let mut items: Vec<String> = Vec::new();
        let mut of_item: HashMap<String, usize> = HashMap::new();
        let mut place = |text: &str| {
            *of_item.entry(text.to_owned()).or_insert_with(|| {
                items.push(text.to_owned());
                items.len() - 1
            })
        };
        for text in &corpus {
            place(text);
        }
        let mut set = EvalSet {
            name: name.to_owned(),
            metric,
            queries: vec![],
            weights: vec![],
            verticals: vec![],
            items: vec![],
            judged: vec![],
            rerank: rerank.is_some(),
            relevant: 1.0,
        };
        let mut of_query: HashMap<&str, usize> = HashMap::new();
        for row in rows {
            let number = *of_query.entry(&row.query).or_insert_with(|| {
                set.queries.push(row.query.clone());
                set.weights.push(row.weight);
                set.verticals.push(row.vertical.clone());
                set.judged.push(vec![]);
                set.queries.len() - 1
            });
            let item = place(&row.item);
            let judged = &mut set.judged[number];
            let grade = f64::from(row.judgement.grade());
            match judged.iter_mut().find(|(known, _)| *known == item) {
                Some((_, best)) => *best = best.max(grade),
                None => judged.push((item, grade)),
            }
        }
        set.items = items;
        if let Some(rule) = rerank {
            set.keep(|judged| {
                let grades: HashSet<u64> = judged.iter().map(|(_, g)| g.to_bits()).collect();
                judged.len() >= rule.items && grades.len() >= rule.grades
            });
        }
        set
    }

    /// Keeps the queries whose judgements fit.
    fn keep(&mut self, fits: impl Fn(&[(usize, f64)]) -> bool) {
        let kept: Vec<bool> = self.judged.iter().map(|j| fits(j)).collect();
        retain(&mut self.queries, &kept);
        retain(&mut self.weights, &kept);
        retain(&mut self.verticals, &kept);
        retain(&mut self.judged, &kept);
    }

    /// Judgements, by the numbers of queries and items.
    fn qrels(&self) -> Qrels {
        let grades = |judged: &Vec<(usize, f64)>| -> HashMap<String, f64> {
            judged
                .iter()
                .map(|(item, grade)| (item.to_string(), *grade))
                .collect()
        };
        let numbered = self.judged.iter().enumerate();
        numbered
            .map(|(query, judged)| (query.to_string(), grades(judged)))
            .collect()
    }

    /// Ranks by the inner products of vectors, `[queries][dims]` and `[items][dims]`.
    pub fn by_vectors(&self, queries: &[f32], items: &[f32], dims: usize) -> Measured {
        let mut run = Run::new();
        let count = self.items.len();
        for (block, vectors) in queries.chunks(BLOCK * dims).enumerate() {
            let rows = vectors.len() / dims;
            let mut scores = vec![0f32; rows * count];
            let (q, d) = (
                Matrix::new(vectors, rows, dims),
                Matrix::new(items, count, dims),
            );
            multiply(q, d.t(), &mut scores, count, Into::Replace);
            let found: Vec<(String, Vec<(String, f32)>)> = scores
                .par_chunks(count)
                .enumerate()
                .map(|(row, scores)| {
                    let query = block * BLOCK + row;
                    (query.to_string(), self.ranked(query, scores))
                })
                .collect();
            run.extend(found);
        }
        self.measured(run)
    }

    fn ranked(&self, query: usize, scores: &[f32]) -> Vec<(String, f32)> {
        let mut candidates: Vec<usize> = match self.rerank {
            true => self.judged[query].iter().map(|(item, _)| *item).collect(),
            false => (0..scores.len()).collect(),
        };
        let rank = |a: &usize, b: &usize| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b));
        if candidates.len() > K {
            candidates.select_nth_unstable_by(K, rank);
            candidates.truncate(K);
        }
        candidates.sort_by(rank);
        candidates
            .into_iter()
            .map(|item| (item.to_string(), scores[item]))
            .collect()
    }

    /// Ranks by BM25.
    pub fn by_words(&self) -> Measured {
        let bm25 = Bm25::new(&self.items);
        let run = self
            .queries
            .par_iter()
            .enumerate()
            .map(|(number, query)| {
                let mut hits = bm25.search(query, if self.rerank { usize::MAX } else { K });
                if self.rerank {
                    let judged = self.judged[number].iter();
                    let judged: HashSet<usize> = judged.map(|(item, _)| *item).collect();
                    hits.retain(|(item, _)| judged.contains(item));
                    // What shares no word comes last, in its order.
                    for &(item, _) in &self.judged[number] {
                        if !hits.iter().any(|(hit, _)| *hit == item) {
                            hits.push((item, 0.0));
                        }
                    }
                }
                let named = hits.into_iter();
                let named = named.map(|(item, score)| (item.to_string(), score));
                (number.to_string(), named.collect())
            })
            .collect();
        self.measured(run)
    }

    /// Ranks by a tower in f32.
    pub fn by_tower(&self, tower: &Tower, max_tokens: MaxTokens) -> Result<Measured> {
        let tokens = |texts: &[String], limit| -> Result<Vec<Vec<u32>>> {
            texts
                .par_iter()
                .map(|text| tower.tokenize(text, limit))
                .collect()
        };
        let queries = tower.encode(&tokens(&self.queries, max_tokens.query)?)?;
        let items = tower.encode(&tokens(&self.items, max_tokens.item)?)?;
        Ok(self.by_vectors(&queries, &items, tower.dims()))
    }

    fn measured(&self, run: Run) -> Measured {
        let metrics = evaluate(&run, &self.qrels(), K, self.relevant);
        let values = metrics
            .by_query
            .iter()
            .filter_map(|(query, scores)| Some((query.parse().ok()?, self.metric.of(scores))))
            .collect();
        Measured {
            metrics,
            values,
            run,
        }
    }
}

/// Keeps the marked elements.
fn retain<T>(all: &mut Vec<T>, kept: &[bool]) {
    let mut marks = kept.iter();
    all.retain(|_| marks.next() == Some(&true));
}

/// The metric of a model, query by query.
pub(crate) struct Measured {
    pub metrics: Metrics,
    /// The metric that counts, by query.
    pub values: BTreeMap<usize, f64>,
    pub run: Run,
}

impl Measured {
    /// The mean of the metric that counts.
    pub fn mean(&self) -> f64 {
        self.values.values().sum::<f64>() / self.values.len().max(1) as f64
    }
}
