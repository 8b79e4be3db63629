//! The words that products are made of: `vocabulary.toml`.

use anyhow::{Context, Result};
use serde::Deserialize;

/// All words.
#[derive(Debug, Deserialize)]
pub struct Vocabulary {
    pub audiences: Vec<String>,
    pub brands: Vec<String>,
    pub lines: Vec<String>,
    pub colours: Vec<String>,
    pub kinds: Vec<Kind>,
}

/// A type of product, and what goes with it.
#[derive(Debug, Deserialize)]
pub struct Kind {
    pub category: String,
    pub name: String,
    /// Whether it comes for women, men and children.
    pub worn: bool,
    /// Lowest and highest price before attribute and material.
    pub price: (f64, f64),
    /// Attributes, and the factor of each on the price.
    pub attributes: Vec<(String, f64)>,
    /// Materials, and the factor of each on the price.
    pub materials: Vec<(String, f64)>,
    /// Occasions that it is for.
    pub occasions: Vec<String>,
}

/// Reads the words.
///
/// # Errors
/// A file that is not as the structs are.
pub fn read() -> Result<Vocabulary> {
    toml::from_str(include_str!("vocabulary.toml")).context("vocabulary.toml")
}
