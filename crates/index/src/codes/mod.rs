//! Layouts of codes: how vectors are stored in a shard, and how a query is compared with them.
//!
//! The algebra of a layout stands once, in a file of its own. Walks and scans are compiled for each layout; a
//! shard's record says which one it has.

mod layout;
mod seven_four;

use nearshelf_container::{Error, Head, Result};

pub use layout::{CodedQuery, Codes, Rows};
pub use seven_four::{QuantizedVector, SevenFour, stride};

/// A query vector, prepared for every layout.
#[derive(Debug, Clone)]
pub struct Query {
    seven_four: <SevenFour as Codes>::Query,
}

impl Query {
    /// Prepares a query vector; `None` when a component is not finite.
    pub fn new(vector: &[f32]) -> Option<Self> {
        Some(Query {
            seven_four: SevenFour::prepare(vector)?,
        })
    }

    /// Components of the vector.
    pub fn dims(&self) -> usize {
        self.seven_four.dims()
    }

    pub(crate) fn seven_four(&self) -> &<SevenFour as Codes>::Query {
        &self.seven_four
    }
}

/// The layout that a shard's record names.
#[derive(Debug)]
pub(crate) enum Layout {
    SevenFour(SevenFour),
}

impl Layout {
    pub fn open(id: u32, head: &Head, items: usize, dims: usize) -> Result<Self> {
        match id {
            SevenFour::ID => Ok(Layout::SevenFour(SevenFour::open(head, items, dims)?)),
            _ => Err(Error::Unknown {
                place: "record, codes".into(),
                expected: format!("layout {} ({})", SevenFour::ID, SevenFour::NAME),
                found: format!("layout {id}"),
            }),
        }
    }
}
