//! Queries: a text, a vector, items.

use nearshelf_container::Storage;
use nearshelf_lexical::WordQuery;

use crate::catalog::Catalog;
use crate::error::{Error, Result};

/// Share of the items not liked that is taken from the mean of those liked: the weight of negatives in Rocchio's
/// formula, as the literature has it (Manning et al. 2008, section 9.1.1: 0.15 to 0.25 beside 0.75).
const UNLIKE: f32 = 0.25;

/// A query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Query<'a> {
    /// A text, by its words and its meaning. Needs an encoder, but for words alone.
    Text(&'a str),
    /// A unit vector, `[dims]`.
    Vector(&'a [f32]),
    /// Items that are liked and items that are not, by their ids. The items themselves are no hits.
    Items {
        /// Ids of items that are liked.
        like: &'a [&'a str],
        /// Ids of items that are not.
        unlike: &'a [&'a str],
    },
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

/// Where a search goes: a query as a point among the items, as words, or as both.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Target {
    /// The unit vector that items are compared with.
    pub(crate) vector: Option<Vec<f32>>,
    /// The words that items are compared by.
    pub(crate) words: Option<WordQuery>,
    /// Items that are no hits, by shard and place, in rising order.
    pub(crate) without: Vec<(u32, u32)>,
}

impl From<Vec<f32>> for Target {
    fn from(vector: Vec<f32>) -> Self {
        Target {
            vector: Some(vector),
            ..Target::default()
        }
    }
}

impl From<WordQuery> for Target {
    fn from(words: WordQuery) -> Self {
        Target {
            words: Some(words),
            ..Target::default()
        }
    }
}

impl Target {
    /// The same target with these words besides.
    #[must_use]
    pub fn with_words(self, words: Option<WordQuery>) -> Self {
        Target { words, ..self }
    }

    /// The unit vector that items are compared with, where there is one.
    pub fn vector(&self) -> Option<&[f32]> {
        self.vector.as_deref()
    }
}

impl<S: Storage> Catalog<S> {
    /// Where the search for items goes that are like some and unlike others:
    /// q = mean(like) − ¼ · mean(unlike), of length 1.
    ///
    /// # Errors
    /// Ids of items that the attached shards do not hold; nothing that is liked.
    pub fn like(&self, like: &[&str], unlike: &[&str]) -> Result<Target> {
        let mut places = Vec::new();
        let mut unknown = Vec::new();
        for &id in like.iter().chain(unlike) {
            match self.find(id)? {
                Some(place) => places.push(place),
                None => unknown.push(id.to_owned()),
            }
        }
        if !unknown.is_empty() || like.is_empty() {
            return Err(Error::Items { ids: unknown });
        }
        let (liked, unliked) = places.split_at(like.len());
        let mut vector = self.mean(liked)?;
        if !unliked.is_empty() {
            for (x, y) in vector.iter_mut().zip(self.mean(unliked)?) {
                *x -= UNLIKE * y;
            }
        }
        let squares = vector.iter().map(|&x| f64::from(x) * f64::from(x));
        let norm = squares.sum::<f64>().sqrt();
        if norm > 0.0 {
            for x in &mut vector {
                *x = (f64::from(*x) / norm) as f32;
            }
        }
        let mut without = places;
        without.sort_unstable();
        without.dedup();
        Ok(Target {
            vector: Some(vector),
            words: None,
            without,
        })
    }

    /// The mean of items' vectors, in the order of their list.
    fn mean(&self, places: &[(u32, u32)]) -> Result<Vec<f32>> {
        let mut sums = vec![0f64; self.manifest().dims as usize];
        for &(shard, item) in places {
            let vector = self.vector(shard, item)?.unwrap_or_default();
            for (sum, x) in sums.iter_mut().zip(vector) {
                *sum += f64::from(x);
            }
        }
        let count = places.len().max(1) as f64;
        Ok(sums.iter().map(|sum| (sum / count) as f32).collect())
    }
}
