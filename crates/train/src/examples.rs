//! Training data as token ids: queries with their judged items by level, the texts of each kept once.

use std::collections::HashMap;
use std::path::Path;

use nearshelf_datasets::{Judged, Skipped, read};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::recipe::{Catalog, Data, MaxTokens};
use crate::tower::Tower;

/// The texts of a data set, as ids.
#[derive(Default)]
pub(crate) struct Texts {
    pub texts: Vec<String>,
    pub ids: Vec<Vec<u32>>,
    by_text: HashMap<String, usize>,
}

impl Texts {
    /// Texts that are tokenized already.
    pub fn new(texts: Vec<String>, ids: Vec<Vec<u32>>) -> Self {
        Texts {
            texts,
            ids,
            by_text: HashMap::new(),
        }
    }

    fn add(&mut self, text: &str, tower: &Tower, max_tokens: usize) -> Result<usize> {
        if let Some(&known) = self.by_text.get(text) {
            return Ok(known);
        }
        let place = self.texts.len();
        self.ids.push(tower.tokenize(text, max_tokens)?);
        self.texts.push(text.to_owned());
        self.by_text.insert(text.to_owned(), place);
        Ok(place)
    }
}

/// A query and its items.
pub(crate) struct Group {
    pub query: usize,
    /// Item and level, more is better; each item once, with its best level.
    pub items: Vec<(usize, u32)>,
    /// Items among them that are positives.
    pub positives: Vec<usize>,
}

/// Judged rows, ready to be drawn from.
pub(crate) struct Examples {
    pub queries: Texts,
    pub items: Texts,
    /// A draw of a contrastive batch: a query and one of its positives.
    pub pairs: Vec<(usize, usize)>,
    /// The queries, in the order of the file.
    pub groups: Vec<Group>,
    /// The rows that are held out.
    pub dev: Vec<Judged>,
    pub summary: Summary,
}

/// Counts of the rows, for the report.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Summary {
    pub rows: usize,
    pub skipped: Skipped,
    pub capped: usize,
    pub held_out: usize,
    pub queries: usize,
    pub items: usize,
    pub pairs: usize,
    pub one_level: usize,
}

impl Examples {
    /// Reads a data set and tokenizes it.
    pub fn read(
        name: &str,
        data: &Data,
        root: &Path,
        tower: &Tower,
        max_tokens: MaxTokens,
    ) -> Result<Self> {
        let dataset = read(&data.source, root)?;
        let all = dataset.rows.len();
        let (rows, dev) = match data.split {
            Some(split) => split.cut(dataset.rows),
            None => (dataset.rows, vec![]),
        };
        let mut queries = Texts::default();
        let mut items = Texts::default();
        let mut groups: Vec<Group> = Vec::new();
        let mut of_query: HashMap<usize, usize> = HashMap::new();
        let mut per_item: HashMap<usize, usize> = HashMap::new();
        let mut pairs = Vec::new();
        let mut capped = 0;
        for row in rows {
            let item = items.add(&row.item, tower, max_tokens.item)?;
            let count = per_item.entry(item).or_default();
            *count += 1;
            if data.cap_per_item.is_some_and(|cap| *count > cap) {
                capped += 1;
                continue;
            }
            let query = queries.add(&row.query, tower, max_tokens.query)?;
            let grade = row.judgement.grade();
            let number = *of_query.entry(query).or_insert_with(|| {
                groups.push(Group {
                    query,
                    items: vec![],
                    positives: vec![],
                });
                groups.len() - 1
            });
            let group = &mut groups[number];
            let level = level(&data.levels, grade);
            match group.items.iter_mut().find(|(known, _)| *known == item) {
                Some((_, best)) => *best = level.max(*best),
                None => group.items.push((item, level)),
            }
            if grade >= data.positive && !group.positives.contains(&item) {
                group.positives.push(item);
                pairs.push((number, item));
            }
        }
        if pairs.is_empty() {
            return Err(Error::Data {
                name: name.to_owned(),
                expected: format!("rows of grade {} or more to train on", data.positive),
                found: "none".into(),
            });
        }
        let one_level = groups.iter().filter(|g| g.levels() < 2).count();
        let summary = Summary {
            rows: all,
            skipped: dataset.skipped,
            capped,
            held_out: dev.len(),
            queries: queries.texts.len(),
            items: items.texts.len(),
            pairs: pairs.len(),
            one_level,
        };
        Ok(Examples {
            queries,
            items,
            pairs,
            groups,
            dev,
            summary,
        })
    }
}

impl Group {
    /// Different levels of its items.
    pub fn levels(&self) -> usize {
        let mut levels: Vec<u32> = self.items.iter().map(|(_, level)| *level).collect();
        levels.sort_unstable();
        levels.dedup();
        levels.len()
    }
}

/// Number of thresholds that a grade reaches; without thresholds every grade is a level, in thousandths.
fn level(thresholds: &[f32], grade: f32) -> u32 {
    match thresholds {
        [] => (f64::from(grade) * 1000.0).round().clamp(0.0, 1e9) as u32,
        thresholds => thresholds.iter().filter(|&&t| grade >= t).count() as u32,
    }
}

/// The items of a catalog.
pub(crate) fn catalog_texts(catalog: &Catalog, root: &Path) -> Result<Vec<String>> {
    let mut seen = std::collections::HashSet::new();
    let items = catalog.items.read(root)?.into_iter().map(|(_, text)| text);
    let texts: Vec<String> = items.filter(|text| seen.insert(text.clone())).collect();
    let Some(limit) = catalog.limit.filter(|&limit| limit < texts.len()) else {
        return Ok(texts);
    };
    let count = texts.len();
    let spread = (0..limit).map(|i| texts[i * count / limit].clone());
    Ok(spread.collect())
}
