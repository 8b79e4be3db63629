//! Rows of the files that shops have: JSON Lines, CSV, TSV and Parquet, gzipped or not. Each row is a JSON
//! object; one that cannot be read is given with the reason, and the rest goes on.

mod error;
mod read;
mod row;

pub use error::{Error, Result};
pub use read::{brief, rows};
pub use row::Row;
