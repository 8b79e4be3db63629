//! The rows of files, read one by one into judged rows.

use std::path::Path;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::judged::Judged;

/// Rows, and what was left out of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dataset {
    /// The rows, in the order of the file.
    pub rows: Vec<Judged>,
    /// Rows that were left out.
    pub skipped: Skipped,
}

/// Rows that were left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Skipped {
    /// Their number.
    pub rows: u64,
    /// The fault of the first.
    pub first: Option<String>,
}

/// Where readers put their rows.
pub(crate) struct Sink {
    skip_bad: bool,
    dataset: Dataset,
}

impl Sink {
    /// A sink without rows; with `skip_bad` it leaves bad rows out instead of failing.
    pub fn new(skip_bad: bool) -> Self {
        Sink {
            skip_bad,
            dataset: Dataset::default(),
        }
    }

    /// The rows that were put in.
    pub fn into_dataset(self) -> Dataset {
        self.dataset
    }

    /// Reads a file's rows; `make` turns each into judged rows.
    pub fn rows(
        &mut self,
        path: &Path,
        make: &mut dyn FnMut(&Fields<'_>, &mut Vec<Judged>) -> Result<()>,
    ) -> Result<()> {
        let mut failed = None;
        each(path, &mut |fields| {
            let mut rows = Vec::new();
            let made = fields.and_then(|fields| make(&fields, &mut rows));
            match made {
                Ok(()) => self.dataset.rows.append(&mut rows),
                Err(error @ Error::Row { .. }) if self.skip_bad => {
                    self.dataset.skipped.rows += 1;
                    let first = &mut self.dataset.skipped.first;
                    first.get_or_insert_with(|| error.to_string());
                }
                Err(error) => failed = failed.take().or(Some(error)),
            }
        })?;
        failed.map_or(Ok(()), Err)
    }
}

/// Gives each row of a file to `work`.
fn each(path: &Path, work: &mut dyn FnMut(Result<Fields<'_>>)) -> Result<()> {
    nearshelf_tables::rows(path, &mut |(line, row)| {
        work(match row {
            Ok(fields) => Ok(Fields { path, line, fields }),
            Err(reason) => Err(Error::Row {
                path: path.to_owned(),
                line,
                expected: "a row".into(),
                found: reason,
            }),
        });
    })?;
    Ok(())
}

/// Reads a table whose rows others refer to; the first bad row is an error.
pub(crate) fn table(path: &Path, make: &mut dyn FnMut(&Fields<'_>) -> Result<()>) -> Result<()> {
    let mut failed = None;
    each(path, &mut |fields| {
        if failed.is_none() {
            failed = fields.and_then(|fields| make(&fields)).err();
        }
    })?;
    failed.map_or(Ok(()), Err)
}
