//! Settings of a graph's making.

use crate::progress::Progress;

/// Candidates kept while instant-distance links an item, where nothing else is asked for: which of them are linked is
/// chosen by the passes behind it.
pub const EF_CONSTRUCTION: usize = 60;

/// Settings of a graph's making.
pub struct Linking<'a> {
    /// Candidates kept while instant-distance links an item.
    pub ef_construction: usize,
    /// Seed of instant-distance.
    pub seed: u64,
    /// Threads.
    pub threads: usize,
    /// Told how far each pass is.
    pub progress: &'a dyn Progress,
}
