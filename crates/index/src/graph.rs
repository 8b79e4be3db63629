//! The graph of a shard.

use nearshelf_container::{Error, Kind, Result};

/// Links of all nodes, `u16 [items][48]`.
pub(crate) const LINKS: Kind = Kind::new(b"LNK0");
/// Links of a node.
pub const DEGREE: usize = 48;
/// Items that a shard can hold: links are 16 bits wide and one value means "no link".
pub const MAX_ITEMS: usize = NO_LINK as usize;

/// Fills a row behind its last link.
pub const NO_LINK: u16 = u16::MAX;

/// The graph of a shard: the lowest layer of an HNSW graph (Malkov and Yashunin 2018) with links that
/// queries asked for, and the nodes that walks start from.
///
/// The paper's upper layers find a node near the query to start from. A shard is small enough that a
/// look at `entries` nodes, spread over it and side by side in the file, finds a nearer one with fewer
/// and cheaper steps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    /// Links of each node, filled from the front, the rest [`NO_LINK`].
    pub links: Vec<[u16; DEGREE]>,
    /// Walks start from the best of this many first nodes.
    pub entries: usize,
}

impl Graph {
    /// Checks sizes and links, so that a shard made of it can be walked.
    ///
    /// # Errors
    /// The first count or link that is out of range.
    pub fn check(&self, items: usize) -> Result<()> {
        if self.links.len() != items {
            return Err(Error::value(
                "graph",
                format!("{items} nodes"),
                self.links.len(),
            ));
        }
        check_entries("graph", self.entries, items)?;
        check_links("graph", self.links.as_flattened().iter().copied(), items)
    }
}

pub(crate) fn check_entries(place: &str, entries: usize, items: usize) -> Result<()> {
    if entries > items || (entries == 0 && items > 0) {
        return Err(Error::value(
            place,
            format!("1 to {items} entry nodes"),
            entries,
        ));
    }
    Ok(())
}

pub(crate) fn check_links(
    place: &str,
    mut links: impl Iterator<Item = u16>,
    items: usize,
) -> Result<()> {
    match links.position(|link| link != NO_LINK && usize::from(link) >= items) {
        None => Ok(()),
        Some(at) => Err(Error::value(
            place,
            format!("links to the {items} nodes"),
            format!("another at link {}, of node {}", at % DEGREE, at / DEGREE),
        )),
    }
}
