//! The texts of a batch, packed.

/// Texts as token ids, one after the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Packed {
    pub(super) ids: Vec<u32>,
    pub(super) lengths: Vec<usize>,
}

impl Packed {
    /// Packs texts; none is empty.
    pub fn new<T: AsRef<[u32]>>(texts: &[T]) -> Self {
        Packed {
            ids: texts.iter().flat_map(|t| t.as_ref()).copied().collect(),
            lengths: texts.iter().map(|t| t.as_ref().len()).collect(),
        }
    }

    /// Tokens of all texts.
    pub fn tokens(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn places(&self) -> Vec<u32> {
        let lengths = self.lengths.iter();
        lengths.flat_map(|&length| 0..length as u32).collect()
    }
}
