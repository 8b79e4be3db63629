//! The share of a model that runs fused, for people and tests.

use std::fmt;

use nearshelf_kernels::Isa;

use crate::network::Network;

/// The part of a model that runs fused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fusion {
    /// Whether the embeddings and their layer norm became one operator.
    pub embeddings: bool,
    /// Encoder layers that became one operator each.
    pub layers: usize,
    /// Linear layers outside of them that became one.
    pub linears: usize,
    /// Nodes of the graph that run as they are, constants and inputs not counted.
    pub unfused: usize,
    /// Where the first part that was not recognised differs: the node and what was expected.
    pub differs: Option<(String, String)>,
    /// The instruction set that fused operators run on; empty where there is nothing to fuse, in f32.
    pub isa: String,
}

impl Fusion {
    /// That of a network: all of it.
    pub fn of(network: &Network) -> Self {
        Fusion {
            embeddings: true,
            layers: network.layers(),
            isa: Isa::detect().name().into(),
            ..Fusion::default()
        }
    }

    /// Whether nothing but fused operators is left.
    pub fn complete(&self) -> bool {
        self.embeddings && self.unfused == 0
    }
}

impl fmt::Display for Fusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.isa.is_empty() {
            return f.write_str("nothing is fused: the graph runs as it is");
        }
        let embeddings = if self.embeddings { "embeddings, " } else { "" };
        write!(f, "{embeddings}{} layers", self.layers)?;
        if self.linears > 0 {
            write!(f, ", {} linear layers", self.linears)?;
        }
        write!(f, " fused for {}", self.isa)?;
        if self.unfused > 0 {
            write!(f, "; {} nodes run unfused", self.unfused)?;
        }
        if let Some((node, expected)) = &self.differs {
            write!(f, " (node {node}: expected {expected})")?;
        }
        Ok(())
    }
}
