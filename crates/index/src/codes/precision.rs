//! Precisions that vectors are stored with.

use std::fmt;
use std::str::FromStr;

/// Bits of a component: four for walks, and those that final scores add.
///
/// A component is x ≈ u · (P · (2 · code − 15) + Q · (2 · residual − (2ʳ − 1))) with r bits of residual. P and Q are
/// chosen so that residuals span 16/15 of a step of codes: a code next to a rounding boundary may be moved by one
/// ([`super::CodedVectors::push`]), and its residual still brings it back.
///
/// The lowest and the highest code also stand for all components beyond them: their residuals span three times as much,
/// outwards, x ≈ u · (P · (2 · code − 15) + 3 Q · (2 · residual − (2ʳ − 1)) ± 2ʳ⁺¹ · Q).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// 4 + 2 bits: 288 bytes for 384 components.
    FourTwo,
    /// 4 + 3 bits: 336 bytes.
    FourThree,
    /// 4 + 4 bits: 384 bytes.
    #[default]
    FourFour,
    /// 4 + 5 bits: 432 bytes.
    FourFive,
}

impl Precision {
    /// Every precision, the smallest first.
    pub const ALL: [Precision; 4] = [
        Precision::FourTwo,
        Precision::FourThree,
        Precision::FourFour,
        Precision::FourFive,
    ];

    /// Bits of a residual, and its number in a shard's record.
    pub const fn residual_bits(self) -> u32 {
        match self {
            Precision::FourTwo => 2,
            Precision::FourThree => 3,
            Precision::FourFour => 4,
            Precision::FourFive => 5,
        }
    }

    /// The precision with these residuals.
    pub fn of_bits(bits: u32) -> Option<Self> {
        Precision::ALL
            .into_iter()
            .find(|p| p.residual_bits() == bits)
    }

    /// The weights P of codes and Q of residuals.
    pub const fn weights(self) -> (i32, i32) {
        match self {
            Precision::FourTwo => (15, 4),
            Precision::FourThree => (15, 2),
            Precision::FourFour => (15, 1),
            Precision::FourFive => (30, 1),
        }
    }

    /// The largest value that a component can have, in units.
    pub const fn largest(self) -> i32 {
        let (p, q) = self.weights();
        let residuals = 1 << self.residual_bits();
        15 * p + (2 * residuals + 3 * (residuals - 1)) * q
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "4+{}", self.residual_bits())
    }
}

/// Not one of the precisions that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownPrecision;

impl fmt::Display for UnknownPrecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected 4+2, 4+3, 4+4 or 4+5")
    }
}

impl std::error::Error for UnknownPrecision {}

impl FromStr for Precision {
    type Err = UnknownPrecision;

    fn from_str(text: &str) -> Result<Self, UnknownPrecision> {
        let named = |p: &Precision| p.to_string() == text;
        Precision::ALL
            .into_iter()
            .find(named)
            .ok_or(UnknownPrecision)
    }
}
