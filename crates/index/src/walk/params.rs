//! Constants of the walk.

/// Entry nodes that a walk goes on from.
pub(super) const SEEDS: usize = 8;
/// Places at the head of the beam whose links are prefetched.
pub(super) const PREFETCH_LINKS: usize = 4;
