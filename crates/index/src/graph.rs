use crate::error::{Error, Result};

/// Links of a node in the lowest layer.
pub const DEGREE_ZERO: usize = 64;
/// Links of a node in each layer above.
pub const DEGREE_UPPER: usize = 32;
/// Items that a shard can hold: links are 16 bits wide and one value means "no link".
pub const MAX_ITEMS: usize = NO_LINK as usize;

pub(crate) const NO_LINK: u16 = u16::MAX;

/// An HNSW graph (Malkov and Yashunin 2018) whose entry point is node 0 and in which each layer's
/// nodes are the first of the layer below.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    /// Links of the lowest layer, each row filled from its front, the rest [`u16::MAX`].
    pub zero: Vec<[u16; DEGREE_ZERO]>,
    /// The layers above, top first, in the same form.
    pub upper: Vec<Vec<[u16; DEGREE_UPPER]>>,
}

impl Graph {
    /// Checks sizes and links, so that a shard made of it can be walked.
    ///
    /// # Errors
    /// The first layer or link that is out of range.
    pub fn check(&self, items: usize) -> Result<()> {
        if self.zero.len() != items {
            return Err(Error::value(
                "graph",
                format!("{items} nodes"),
                self.zero.len(),
            ));
        }
        let mut above = 0;
        for (layer, nodes) in self.upper.iter().enumerate() {
            if nodes.len() < above || nodes.len() > items {
                return Err(Error::value(
                    format!("graph, upper layer {layer}"),
                    format!("between {above} and {items} nodes"),
                    nodes.len(),
                ));
            }
            above = nodes.len();
            check_links(nodes.as_flattened(), nodes.len(), || {
                format!("graph, upper layer {layer}")
            })?;
        }
        check_links(self.zero.as_flattened(), items, || {
            "graph, lowest layer".into()
        })
    }
}

pub(crate) fn check_links(links: &[u16], nodes: usize, place: impl Fn() -> String) -> Result<()> {
    match links
        .iter()
        .position(|&l| l != NO_LINK && usize::from(l) >= nodes)
    {
        None => Ok(()),
        Some(at) => Err(Error::value(
            format!("{}, link {at}", place()),
            format!("a node below {nodes}"),
            links[at],
        )),
    }
}
