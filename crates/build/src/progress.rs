//! Progress of a build.

/// Hears how far a build is. Called from several threads.
pub trait Progress: Sync {
    /// A stage of `total` steps begins; the one before it is over.
    fn stage(&self, name: &'static str, total: u64);
    /// So many steps of the stage are done.
    fn at(&self, done: u64);
}

/// Says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn stage(&self, _: &'static str, _: u64) {}
    fn at(&self, _: u64) {}
}
