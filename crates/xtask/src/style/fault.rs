//! A fault of a file.

/// A line, from 1, and its fault.
pub type Fault = (usize, String);
