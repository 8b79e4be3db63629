//! The network of a sentence encoder: embeddings and encoder layers (BERT's), whose packed numbers are read in
//! place from the sections of a file, or owned.
//!
//! Token ids go in, a vector for each token comes out. Tokenizer and pooling are not this crate's.

mod coarse;
mod error;
mod file;
mod fusion;
mod network;
mod record;
mod run;
mod tables;

pub use error::{Error, Result};
pub use file::Bits;
pub use fusion::Fusion;
pub use network::Network;
pub use tables::Tables;
