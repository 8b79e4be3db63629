//! Queries, items and judgements in BEIR's layout, read from JSON lines and TSV.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde::Deserialize;

use crate::error::{Error, Result};

/// A query with its id.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Query {
    /// The id that judgements and runs use.
    #[serde(rename = "_id", alias = "id", alias = "query_id")]
    pub id: String,
    /// The query's text.
    #[serde(alias = "query")]
    pub text: String,
    /// Times that it is asked, where that is known.
    #[serde(default)]
    pub frequency: Option<f64>,
    /// The part of the shop that it belongs to.
    #[serde(default)]
    pub vertical: Option<String>,
    /// The items that may answer it, as a filter's text.
    #[serde(default, rename = "where")]
    pub filter: Option<String>,
}

/// Grades by query and item: 0 is not relevant, more is better.
pub type Qrels = BTreeMap<String, HashMap<String, f64>>;

/// Reads `queries.jsonl`: an object a line with `_id` and `text`.
///
/// # Errors
/// A line that is not such an object, an id that comes twice, no query at all.
pub fn read_queries(path: &Path) -> Result<Vec<Query>> {
    let text = read(path)?;
    let mut seen = HashSet::new();
    let mut queries = Vec::new();
    for (number, line) in (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let error = |found: String| Error::Line {
            path: path.to_owned(),
            line: number,
            expected: "an object with a new \"_id\" and a \"text\"".into(),
            found,
        };
        let query: Query = serde_json::from_str(line).map_err(|e| error(e.to_string()))?;
        if !seen.insert(query.id.clone()) {
            return Err(error(format!("{:?} again", query.id)));
        }
        queries.push(query);
    }
    if queries.is_empty() {
        return Err(Error::Empty {
            path: path.to_owned(),
            expected: "at least one query",
        });
    }
    Ok(queries)
}

/// Reads `qrels.tsv`: query, item and grade, with or without BEIR's header; or TREC's four columns
/// (query, iteration, item, grade).
///
/// # Errors
/// A line with other columns or a grade that is no number, an item judged twice for a query.
pub fn read_qrels(path: &Path) -> Result<Qrels> {
    let text = read(path)?;
    let mut qrels = Qrels::new();
    for (number, line) in (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let error = |expected: &str, found: String| Error::Line {
            path: path.to_owned(),
            line: number,
            expected: expected.into(),
            found,
        };
        let columns: Vec<&str> = match line.contains('\t') {
            true => line.split('\t').map(str::trim).collect(),
            false => line.split_whitespace().collect(),
        };
        let (query, item, grade) = match columns[..] {
            [query, item, grade] | [query, _, item, grade] => (query, item, grade),
            _ => {
                let found = format!("{} columns", columns.len());
                return Err(error(
                    "three columns (query, item, grade) or TREC's four",
                    found,
                ));
            }
        };
        let grade: f64 = match grade.parse() {
            Ok(grade) if f64::is_finite(grade) => grade,
            _ if number == 1 => continue,
            _ => return Err(error("a grade", format!("{grade:?}"))),
        };
        let judged = qrels.entry(query.to_owned()).or_default();
        if judged.insert(item.to_owned(), grade).is_some() {
            return Err(error("one grade an item", format!("another for {item:?}")));
        }
    }
    if qrels.is_empty() {
        return Err(Error::Empty {
            path: path.to_owned(),
            expected: "at least one judgement",
        });
    }
    Ok(qrels)
}

pub(crate) fn read(path: &Path) -> Result<String> {
    let bytes = fs::read(path).map_err(|e| Error::io(path, e))?;
    let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut unpacked = Vec::new();
        MultiGzDecoder::new(&bytes[..])
            .read_to_end(&mut unpacked)
            .map_err(|e| Error::io(path, e))?;
        unpacked
    } else {
        bytes
    };
    String::from_utf8(bytes).map_err(|e| {
        let valid = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        Error::Line {
            path: path.to_owned(),
            line: 1 + valid.iter().filter(|&&b| b == b'\n').count(),
            expected: "UTF-8".into(),
            found: e.utf8_error().to_string(),
        }
    })
}
