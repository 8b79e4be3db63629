//! A row of a table.

/// A row: its line (counted from 1; for Parquet the row), and its fields or why there are none.
pub type Row = (
    u64,
    std::result::Result<serde_json::Map<String, serde_json::Value>, String>,
);
