//! Constants of the walk.

/// Entry nodes that a walk goes on from.
pub(super) const SEEDS: usize = 8;
/// Places at the head of the beam whose links are prefetched.
pub(super) const PREFETCH_LINKS: usize = 4;
/// Results that are nearer than all entry nodes that may be no hits, where what may be hits lies about the query.
pub(super) const NEAREST: usize = 10;
/// Entry nodes that tell what lies near a query: at most this many, and at most one in so many of all.
pub(super) const NEAR: usize = 24;
pub(super) const NEAR_SHARE: usize = 8;
