//! Builds a shelf.
pub mod graph;
pub mod partition;
