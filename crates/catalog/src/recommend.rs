//! Recommendations: where a search goes for items that are like one, or that fit what somebody looked at.
//!
//! The items that somebody looked at are seldom of one kind. The mean of a tent and a coffee grinder is near neither, so that items are
//! gathered into *interests*: from the one that counts most on, each joins the interest whose middle is nearest, or begins one
//! of its own. A search goes for each of them, by
//!
//! ```text
//! vector = Σ weight · item − ¼ · mean(unlike), of length 1
//! words  = the texts of the interest's items that count most
//! ```
//!
//! and each interest has places among the hits by its weight, as parties have seats by their votes (D'Hondt): an item's score is
//! the largest of weight / rank, by its rank in each interest. Scores of different interests do not compare: those of a rare
//! kind of item fall faster. A text that hits have to fit besides is half of the score that an interest's items are ranked by.
//!
//! Chosen on 7,826 histories of three shops (recall@20 of the item that came last, 0.160, 0.258 and 0.038): the mean of the items
//! has 0.101, 0.073 and 0.019, the best of weight · score 0.157, 0.255 and 0.044, but there one interest takes all places.

use nearshelf_container::Storage;
use nearshelf_index::dot_f32;
use nearshelf_lexical::WordQuery;

use crate::catalog::Catalog;
use crate::columns::ValueRef;
use crate::error::{Error, Result};
use crate::query::{Aim, Query, Recommend, Target};
use crate::unit::unit;

/// Share of the items not liked that is taken from those liked: the weight of negatives in Rocchio's formula, as the
/// literature has it (Manning et al. 2008, section 9.1.1: 0.15 to 0.25 beside 0.75).
const UNLIKE: f32 = 0.25;
/// The part that each item counts of the one looked at after it: two items, and one counts half as much. Multiplied up, as
/// powers of fractions are not the same bits on every target.
const FADING: f32 = std::f32::consts::FRAC_1_SQRT_2;
/// Cosine of an item and the middle of an interest from which on it belongs there.
const JOIN: f32 = 0.5;
/// Interests at most: each costs a search.
const MAX_INTERESTS: usize = 8;
/// Items of an interest whose words are looked for.
const WORDY: usize = 2;
/// Items at most, liked and not.
const MAX_ITEMS: usize = 1000;

/// Items that are like one another.
struct Interest {
    /// Σ weight · item.
    sum: Vec<f32>,
    weight: f32,
    /// Items that count most, by their place among the liked ones.
    items: Vec<usize>,
}

impl<S: Storage> Catalog<S> {
    /// Where the search for items that are like one goes.
    ///
    /// # Errors
    /// An id that the attached shards do not hold.
    pub fn similar(&self, id: &str) -> Result<Target> {
        let places = self.places_of(&[id])?;
        let target = Target::new(self.unit(places[0])?, self.words_like(&places)?);
        Ok(Target {
            without: places,
            ..target
        })
    }

    /// Where the search for items that fit others goes. The text is for the caller to encode: [`Target::besides`].
    ///
    /// # Errors
    /// Ids of items that the attached shards do not hold; nothing that is liked, and no text; weights that are not one for
    /// each liked item, 0 or more.
    pub fn recommend(&self, asked: &Recommend<'_>) -> Result<Target> {
        let Recommend { like, unlike, .. } = *asked;
        let all: Vec<&str> = like.iter().chain(unlike).copied().collect();
        if all.len() > MAX_ITEMS || (like.is_empty() && Query::Recommend(*asked).text().is_none()) {
            return Err(Error::Option {
                option: "like, unlike",
                expected: format!("an id that is liked or a text, and at most {MAX_ITEMS} ids"),
                found: format!("{} and {} ids", like.len(), unlike.len()),
            });
        }
        let places = self.places_of(&all)?;
        let (liked, unliked) = places.split_at(like.len());
        let weights = weights(asked)?;
        let mut vectors = Vec::with_capacity(liked.len());
        for &place in liked {
            vectors.push(self.unit(place)?.unwrap_or_default());
        }
        let away = self.mean(unliked)?;
        let interests = interests(&vectors, &weights);
        let most = interests
            .iter()
            .map(|i| i.weight)
            .fold(f32::MIN_POSITIVE, f32::max);
        let mut aims = Vec::with_capacity(interests.len());
        for interest in interests {
            let wordy: Vec<_> = interest
                .items
                .iter()
                .take(WORDY)
                .map(|&i| liked[i])
                .collect();
            let mut vector = unit(interest.sum);
            for (x, y) in vector.iter_mut().zip(&away) {
                *x -= UNLIKE * y;
            }
            aims.push(Aim {
                vector: Some(unit(vector)),
                words: self.words_like(&wordy)?,
                weight: interest.weight / most,
            });
        }
        Ok(Target {
            aims,
            besides: None,
            without: places,
        })
    }

    /// Places of items by their ids.
    fn places_of(&self, ids: &[&str]) -> Result<Vec<(u32, u32)>> {
        let mut places = Vec::with_capacity(ids.len());
        let mut unknown = Vec::new();
        for &id in ids {
            match self.find(id)? {
                Some(place) => places.push(place),
                None => unknown.push(id.to_owned()),
            }
        }
        match unknown.is_empty() {
            true => Ok(places),
            false => Err(Error::Items { ids: unknown }),
        }
    }

    /// The words of items' texts; `None` where the shelf has none, or none of the texts.
    fn words_like(&self, places: &[(u32, u32)]) -> Result<Option<WordQuery>> {
        let Some(words) = self.words() else {
            return Ok(None);
        };
        let mut text = String::new();
        for &(shard, item) in places {
            for name in &self.manifest().text_fields {
                let fields = &self.manifest().fields;
                let Some(field) = fields.iter().position(|field| field.name == *name) else {
                    continue;
                };
                let value = self.value(shard, field, item);
                if let Some(ValueRef::Text(part)) =
                    value.map_err(|e| self.absent(shard as usize, e))?
                {
                    text.push_str(part);
                    text.push(' ');
                }
            }
        }
        let query = words.query(&text, false);
        Ok((!query.is_empty()).then_some(query))
    }

    /// The vector of an item, of length 1.
    fn unit(&self, (shard, item): (u32, u32)) -> Result<Option<Vec<f32>>> {
        Ok(self.vector(shard, item)?.map(unit))
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

/// The weights of the liked items.
fn weights(asked: &Recommend<'_>) -> Result<Vec<f32>> {
    let (given, liked) = (asked.weights, asked.like.len());
    if given.is_empty() {
        let mut weights: Vec<f32> =
            std::iter::successors(Some(1.0), |weight| Some(weight * FADING))
                .take(liked)
                .collect();
        weights.reverse();
        return Ok(weights);
    }
    let is_weight = |weight: &f32| weight.is_finite() && *weight >= 0.0;
    if given.len() != liked || !given.iter().all(is_weight) {
        return Err(Error::Option {
            option: "weights",
            expected: format!("{liked} finite numbers of 0 or more, one for each liked item"),
            found: format!("{given:?}"),
        });
    }
    Ok(given.to_vec())
}

/// The interests of liked items, whose vectors are of length 1, from the one that begins with the largest weight on.
fn interests(vectors: &[Vec<f32>], weights: &[f32]) -> Vec<Interest> {
    let mut order: Vec<usize> = (0..vectors.len()).collect();
    // Of equal weights, the last one first.
    order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]).then(b.cmp(&a)));
    let mut interests: Vec<Interest> = Vec::new();
    for item in order {
        let (vector, weight) = (&vectors[item], weights[item]);
        let cosine = |interest: &Interest| {
            let norm = dot_f32(&interest.sum, &interest.sum).sqrt();
            dot_f32(&interest.sum, vector) / norm.max(f32::MIN_POSITIVE)
        };
        let nearest = (0..interests.len())
            .map(|i| (i, cosine(&interests[i])))
            .reduce(|a, b| if b.1 > a.1 { b } else { a });
        let joins =
            nearest.filter(|(_, cosine)| *cosine >= JOIN || interests.len() == MAX_INTERESTS);
        let place = match joins {
            Some((place, _)) => place,
            None => {
                interests.push(Interest {
                    sum: vec![0.0; vector.len()],
                    weight: 0.0,
                    items: vec![],
                });
                interests.len() - 1
            }
        };
        let interest = &mut interests[place];
        for (sum, x) in interest.sum.iter_mut().zip(vector) {
            *sum += weight * x;
        }
        interest.weight += weight;
        interest.items.push(item);
    }
    interests
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interests_are_kept_apart() {
        let vectors = [[1.0, 0.0], [0.0, 1.0], [0.96, 0.28], [0.0, -1.0]].map(|v| v.to_vec());
        let found = interests(&vectors, &[1.0, 0.5, 0.25, 0.1]);
        let items: Vec<&[usize]> = found.iter().map(|i| &i.items[..]).collect();
        assert_eq!(items, [&[0, 2][..], &[1], &[3]]);
        assert_eq!(found[0].weight, 1.25);
        assert!(interests(&[], &[]).is_empty());
    }

    #[test]
    fn the_last_item_counts_most() {
        let like = ["a", "b", "c", "d"];
        let asked = Recommend {
            like: &like,
            ..Default::default()
        };
        let found = weights(&asked).unwrap();
        let expected = [3.0, 2.0, 1.0, 0.0].map(|age: f32| 0.5f32.powf(age / 2.0));
        assert!(
            found
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 1e-5),
            "{found:?}"
        );
        for wrong in [
            &[1.0][..],
            &[1.0, 1.0, -1.0, 1.0],
            &[1.0, f32::NAN, 1.0, 1.0],
        ] {
            let asked = Recommend {
                weights: wrong,
                ..asked
            };
            assert!(weights(&asked).is_err(), "{wrong:?}");
        }
    }
}
