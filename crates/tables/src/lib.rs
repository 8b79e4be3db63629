//! Rows of the files that shops have: JSON Lines, CSV, TSV and Parquet, gzipped or not. Each row is a JSON
//! object; one that cannot be read is given with the reason, and the rest goes on.

mod error;
mod read;

pub use error::{Error, Result};
pub use read::{brief, rows};

/// A row: its line (counted from 1; for Parquet the row), and its fields or why there are none.
pub type Row = (
    u64,
    std::result::Result<serde_json::Map<String, serde_json::Value>, String>,
);
