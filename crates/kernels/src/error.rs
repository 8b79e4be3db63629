//! Errors of weights.

/// Why weights cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Parts whose sizes do not fit together or the kernels.
    #[error("{part}: expected {expected}, found {found}")]
    Shape {
        /// The part's name.
        part: String,
        /// The value that fits.
        expected: String,
        /// The value given.
        found: String,
    },
    /// A number that no trained model has.
    #[error("{part}: expected {expected}, found {found}")]
    Value {
        /// The part's name.
        part: String,
        /// The values that could be used.
        expected: String,
        /// The value found.
        found: String,
    },
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Checks that all values are finite.
pub(crate) fn finite(part: &str, kind: &str, values: &[f32]) -> Result<()> {
    match values.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(place) => Err(Error::Value {
            part: part.into(),
            expected: format!("a finite {kind}"),
            found: format!("{} at {place}", values[place]),
        }),
    }
}
