//! The fused operators as tract sees them.
//!
//! Their tokens come packed, `[1, tokens]`; the attention mask tells texts apart: a run of equal
//! numbers is a text, 0 is padding.

mod embed;
mod layer;
mod linear;
mod shared;

pub(crate) use embed::EmbedTokens;
pub(crate) use layer::EncoderLayer;
pub(crate) use linear::QuantizedLinear;
