//! Problems of a catalog's rows.

use std::fmt;
use std::path::{Path, PathBuf};

use nearshelf_catalog::FieldKind;

/// A problem of a row or of a value in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1; for Parquet the row.
    pub line: u64,
    /// Its description.
    pub kind: ProblemKind,
}

/// The kinds of problem.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The row cannot be read; it is left out.
    BadRow {
        /// Why.
        reason: String,
    },
    /// An id that an earlier row has; the row is left out.
    DuplicateId {
        /// The id.
        id: String,
    },
    /// A field without which there is no item; the row is left out.
    MissingField {
        /// The field.
        field: String,
    },
    /// An update's row without a text, of an item that the shelf does not have; the row is left out.
    UnknownItem {
        /// The id.
        id: String,
        /// The fields of which a new item has one.
        field: String,
    },
    /// A value of another type than its field's; the item stays, without the value.
    BadValue {
        /// The field.
        field: String,
        /// The field's type.
        expected: FieldKind,
        /// The value.
        found: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}: ", self.path.display(), self.line)?;
        match &self.kind {
            ProblemKind::BadRow { reason } => write!(f, "row left out: {reason}"),
            ProblemKind::DuplicateId { id } => {
                write!(f, "row left out: expected a new id, found {id:?} again")
            }
            ProblemKind::MissingField { field } => {
                write!(
                    f,
                    "row left out: expected a field {field:?}, found none or an empty one"
                )
            }
            ProblemKind::UnknownItem { id, field } => write!(
                f,
                "row left out: expected an item of the shelf, or a field {field:?} for a new one, found id {id:?} alone"
            ),
            ProblemKind::BadValue {
                field,
                expected,
                found,
            } => {
                let kind = expected.name();
                write!(
                    f,
                    "value left out: expected field {field:?} to be a {kind}, found {found}"
                )
            }
        }
    }
}

/// Counts of what was read and what was wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows in the file.
    pub rows: u64,
    /// Rows that could not be read.
    pub bad_rows: u64,
    /// Rows whose id was taken.
    pub duplicate_ids: u64,
    /// Rows without id or text.
    pub missing_fields: u64,
    /// Values of another type than their field's.
    pub bad_values: u64,
    /// Items without any identifier, where fields are named that hold them. No problem, but good to know.
    pub without_identifier: u64,
    /// The first problems, in the order of the file.
    pub first: Vec<Problem>,
}

/// Problems that are kept to be shown; all are counted.
const SHOWN: usize = 100;

impl Report {
    /// Number of problems.
    pub fn problem_count(&self) -> u64 {
        self.bad_rows + self.duplicate_ids + self.missing_fields + self.bad_values
    }

    /// `: ` and the first problem, or nothing: for the end of a message.
    pub fn first_problem(&self) -> String {
        self.first
            .first()
            .map(|problem| format!(": {problem}"))
            .unwrap_or_default()
    }

    pub(crate) fn add(&mut self, path: &Path, line: u64, kind: ProblemKind) {
        *match kind {
            ProblemKind::BadRow { .. } => &mut self.bad_rows,
            ProblemKind::DuplicateId { .. } => &mut self.duplicate_ids,
            ProblemKind::MissingField { .. } | ProblemKind::UnknownItem { .. } => {
                &mut self.missing_fields
            }
            ProblemKind::BadValue { .. } => &mut self.bad_values,
        } += 1;
        if self.first.len() < SHOWN {
            self.first.push(Problem {
                path: path.to_owned(),
                line,
                kind,
            });
        }
    }
}
