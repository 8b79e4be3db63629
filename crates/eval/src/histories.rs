//! Histories: the items that somebody looked at or bought, in the order of time.

use std::path::Path;

use serde::Deserialize;

use crate::beir::read;
use crate::error::{Error, Result};

/// Items that somebody looked at or bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The line of the file, counted from 1: a user of two shops has two histories.
    pub line: usize,
    /// Ids of items, the last one at the end.
    pub items: Vec<String>,
}

#[derive(Deserialize)]
struct Row {
    items: Vec<String>,
}

/// Reads histories: an object a line with `items`, ids in the order of time.
///
/// # Errors
/// A line that is not such an object, no history at all.
pub fn read_histories(path: &Path) -> Result<Vec<History>> {
    let text = read(path)?;
    let lines = (1..).zip(text.lines());
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    let histories = lines.map(|(line, text)| {
        let row: Row = serde_json::from_str(text).map_err(|error| Error::Line {
            path: path.to_owned(),
            line,
            expected: "an object with \"items\", a list of ids".into(),
            found: error.to_string(),
        })?;
        Ok(History {
            line,
            items: row.items,
        })
    });
    let histories: Vec<History> = histories.collect::<Result<_>>()?;
    match histories.is_empty() {
        false => Ok(histories),
        true => Err(Error::Empty {
            path: path.to_owned(),
            expected: "at least one history",
        }),
    }
}
