//! Options of a search.

use super::boost::Boost;
use super::facets::FacetQuery;
use super::sort::Sort;
use crate::filter::Filter;

/// The parts of a text that items are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Words and meaning in one ranking; meaning alone where the query has no words, or the shelf none.
    #[default]
    Hybrid,
    /// Words alone: needs no encoder.
    Words,
    /// Meaning alone.
    Meaning,
}

impl Mode {
    /// Its name: `hybrid`, `words` or `meaning`.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Hybrid => "hybrid",
            Mode::Words => "words",
            Mode::Meaning => "meaning",
        }
    }
}

impl std::str::FromStr for Mode {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let modes = [Mode::Hybrid, Mode::Words, Mode::Meaning];
        let found = modes.into_iter().find(|mode| mode.name() == name);
        found.ok_or_else(|| format!("expected hybrid, words or meaning, found {name:?}"))
    }
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Options of a search. Everything that is `None` is as the shelf's manifest says.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchOptions {
    /// Hits wanted.
    pub k: usize,
    /// Hits that are passed over: pages of one `k` hold every hit once.
    pub offset: usize,
    /// The parts of a text that items are compared by.
    pub mode: Mode,
    /// The weight of the words in a hybrid score beside the meaning, 0 to 1.
    pub weight: Option<f32>,
    /// Whether the last word of a text may be the beginning of one, as while it is being typed.
    pub typing: bool,
    /// Whether hits that are no better than chance are left out: see [`crate::Hit::is_weak`].
    pub leave_weak: bool,
    /// Shards searched, nearest first.
    pub probe: Option<usize>,
    /// Candidates kept while walking (`ef_search`); never fewer than `k` needs.
    pub ef: Option<usize>,
    /// Items that may be hits; all without one.
    pub filter: Option<Filter>,
    /// Fields that hits are ordered by, before their scores: all items that match the query, and no other.
    pub sort: Vec<Sort>,
    /// Fields that lift scores.
    pub boosts: Vec<Boost>,
    /// Ids of items that stand first, in this order, where the filter allows them.
    pub pin: Vec<String>,
    /// Ids of items that are no hits.
    pub hide: Vec<String>,
    /// A field of which each value has one hit, the best: [`crate::Hit::variants`] tells how many items share it.
    pub distinct: Option<String>,
    /// Values that are counted over all items that match the query.
    pub facets: Vec<FacetQuery>,
    /// Weight of difference: hits that are like one another give way to others, 0 to 1.
    pub diversity: f32,
}

impl Default for SearchOptions {
    fn default() -> Self {
        SearchOptions {
            k: 10,
            offset: 0,
            mode: Mode::default(),
            weight: None,
            typing: false,
            leave_weak: false,
            probe: None,
            ef: None,
            filter: None,
            sort: Vec::new(),
            boosts: Vec::new(),
            pin: Vec::new(),
            hide: Vec::new(),
            distinct: None,
            facets: Vec::new(),
            diversity: 0.0,
        }
    }
}
