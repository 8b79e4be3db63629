//! Weights in the layout that dot products read.

use bytemuck::{Pod, Zeroable};

/// The weights of 16 output channels for 4 inputs: `[channel][input]`, offset by 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct Block(pub [u8; 64]);
