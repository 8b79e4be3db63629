//! Filters: which items may be hits, by the values of their fields.

mod bind;
mod node;
mod parse;
mod sets;
mod tree;

pub(crate) use bind::bind;
pub(crate) use node::Node;
pub(crate) use sets::Sets;
pub use tree::{Condition, Filter};
