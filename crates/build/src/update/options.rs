//! Options of an update.

use std::path::PathBuf;

use crate::error::Result;
use crate::model::Model;

/// Options of an update.
#[derive(Debug, Clone)]
pub struct UpdateOptions {
    /// A file of rows that are new or have changed; those that have not may be among them.
    pub items: Option<PathBuf>,
    /// A file of ids, a line each, of items that are to go.
    pub remove: Option<PathBuf>,
    /// A shelf to make, instead of a change in place.
    pub out: Option<PathBuf>,
    /// A file that the new vectors are kept in, by their texts.
    pub keep_vectors: Option<PathBuf>,
    /// An encoder that the program has at hand: opened where new items need another than the shelf's own, and none was given.
    pub at_hand: Option<fn() -> Result<Model>>,
    /// Whether a problem, or an id to remove that is not there, ends the update.
    pub strict: bool,
    /// Manifests whose files stay, the new one among them.
    pub keep: usize,
    /// Threads; 0 for as many as the machine has.
    pub threads: usize,
}

impl Default for UpdateOptions {
    fn default() -> Self {
        UpdateOptions {
            items: None,
            remove: None,
            out: None,
            keep_vectors: None,
            at_hand: None,
            strict: false,
            keep: 2,
            threads: 0,
        }
    }
}
