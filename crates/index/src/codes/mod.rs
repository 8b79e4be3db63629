//! Codes: how vectors are stored in a shard, and how a query is compared with them.
//!
//! A vector is rotated first ([`rotate`]): its components then have one distribution, whatever the encoder, and
//! one step serves all of them. Four bits a component are what walks compare; the bits of a [`Precision`] beyond
//! them are read for the best candidates alone.

mod coded;
mod planes;
mod precision;
mod query;
mod rotation;

pub use coded::{CodedVectors, Codes};
pub use precision::Precision;
pub use query::Query;
pub use rotation::{BLOCK, padded, rotate, rotate_back, row_bytes};
