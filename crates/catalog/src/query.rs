//! Queries: a text, a vector, items; and where they go.

use nearshelf_lexical::WordQuery;

use crate::search::Mode;

/// A query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Query<'a> {
    /// A text, by its words and its meaning. Needs an encoder, but for words alone. One of nothing but white space is a
    /// query for all items.
    Text(&'a str),
    /// A unit vector, `[dims]`.
    Vector(&'a [f32]),
    /// An item, by its id: others that are like it, by its vector and its words.
    Similar(&'a str),
    /// Items that somebody liked or did not, and a text besides: others that fit.
    Recommend(Recommend<'a>),
}

/// Items that somebody liked, and what to recommend besides.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Recommend<'a> {
    /// Ids of items that are liked, in the order in which they were looked at. They are no hits.
    pub like: &'a [&'a str],
    /// Ids of items that are not. They are no hits.
    pub unlike: &'a [&'a str],
    /// Weights of the liked items; without, the last counts most, and the second before it half as much.
    pub weights: &'a [f32],
    /// A text that hits have to fit besides.
    pub text: Option<&'a str>,
}

impl<'a> Query<'a> {
    /// The text of the query, which an encoder reads; `None` where there is none, or nothing but white space.
    pub fn text(&self) -> Option<&'a str> {
        let text = match *self {
            Query::Text(text) => Some(text),
            Query::Recommend(asked) => asked.text,
            Query::Vector(_) | Query::Similar(_) => None,
        };
        text.filter(|text| !text.trim().is_empty())
    }
}

impl<'a> From<&'a str> for Query<'a> {
    fn from(text: &'a str) -> Self {
        Query::Text(text)
    }
}

impl<'a> From<&'a String> for Query<'a> {
    fn from(text: &'a String) -> Self {
        Query::Text(text)
    }
}

impl<'a> From<&'a [f32]> for Query<'a> {
    fn from(vector: &'a [f32]) -> Self {
        Query::Vector(vector)
    }
}

impl<'a> From<&'a Vec<f32>> for Query<'a> {
    fn from(vector: &'a Vec<f32>) -> Self {
        Query::Vector(vector)
    }
}

/// An aim of a search: a point among the items, words, or both.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Aim {
    /// The unit vector that items are compared with.
    pub vector: Option<Vec<f32>>,
    /// The words that items are compared by.
    pub words: Option<WordQuery>,
    /// The part that its scores count beside those of other aims, 0 to 1.
    pub weight: f32,
}

/// Where a search goes: to the items that answer one of its aims. Without any, every item is an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Target {
    /// Any of these is wanted.
    pub(crate) aims: Vec<Aim>,
    /// This is wanted besides.
    pub(crate) besides: Option<Aim>,
    /// Items that are no hits, by shard and place.
    pub(crate) without: Vec<(u32, u32)>,
}

impl From<Vec<f32>> for Target {
    fn from(vector: Vec<f32>) -> Self {
        Target::new(Some(vector), None)
    }
}

impl From<WordQuery> for Target {
    fn from(words: WordQuery) -> Self {
        Target::new(None, Some(words))
    }
}

impl Target {
    /// A target of a unit vector, of words, or of both; of neither, all items.
    pub fn new(vector: Option<Vec<f32>>, words: Option<WordQuery>) -> Self {
        let aim = Aim {
            vector,
            words,
            weight: 1.0,
        };
        let is_aim = aim.vector.is_some() || aim.words.is_some();
        Target {
            aims: if is_aim { vec![aim] } else { vec![] },
            besides: None,
            without: vec![],
        }
    }

    /// The same target, where hits have to fit a vector, words, or both besides.
    #[must_use]
    pub fn besides(self, vector: Option<Vec<f32>>, words: Option<WordQuery>) -> Self {
        let mut other = Target::new(vector, words);
        if self.aims.is_empty() {
            return Target {
                aims: other.aims,
                ..self
            };
        }
        Target {
            besides: other.aims.pop(),
            ..self
        }
    }

    /// The same target, by words alone or by meaning alone where it has both.
    #[must_use]
    pub fn in_mode(mut self, mode: Mode) -> Self {
        for aim in self.aims.iter_mut().chain(&mut self.besides) {
            if aim.vector.is_some() && aim.words.is_some() {
                match mode {
                    Mode::Hybrid => {}
                    Mode::Words => aim.vector = None,
                    Mode::Meaning => aim.words = None,
                }
            }
        }
        self
    }

    /// All that is aimed at.
    pub(crate) fn all_aims(&self) -> impl Iterator<Item = &Aim> {
        self.aims.iter().chain(&self.besides)
    }
}
