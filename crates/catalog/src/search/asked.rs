//! A search with its names found in the shelf: nothing of it can be wrong any more.

use nearshelf_container::Storage;
use nearshelf_index::Query;

use super::SearchOptions;
use super::boost::BoostBy;
use super::candidate::Place;
use super::dense::Plan;
use super::facets::FacetQuery;
use super::sort::SortBy;
use super::visit::VisitingRule;
use crate::catalog::Catalog;
use crate::columns::FieldKind;
use crate::error::{Error, Result};
use crate::fields;
use crate::filter::Node;
use crate::query::{Aim, Target};

/// Fields that hits are ordered by, boosts, facets and pins at most, each.
const MAX_NAMES: usize = 1000;

/// A search with its names found in the shelf.
pub(super) struct Asked<'a> {
    pub target: &'a Target,
    pub options: &'a SearchOptions,
    /// The vectors of the target's aims as they are compared.
    queries: Vec<Option<Query>>,
    pub filter: Option<Node>,
    pub sort: Vec<SortBy>,
    pub boosts: Vec<BoostBy>,
    pub distinct: Option<usize>,
    pub facets: Vec<(&'a FacetQuery, usize)>,
    /// Items that stand first.
    pub pinned: Vec<Place>,
    /// Items that are no hits, in rising order.
    pub without: Vec<Place>,
    /// Whether every shard is compared whole.
    pub exact: bool,
}

impl Asked<'_> {
    /// The aims of the target with their vectors.
    pub fn aims(&self) -> impl Iterator<Item = (&Aim, Option<&Query>)> {
        let queries = self.queries.iter().map(Option::as_ref);
        self.target.all_aims().zip(queries)
    }

    /// Whether nothing is looked for: all items that the filter allows are hits.
    pub fn is_browsing(&self) -> bool {
        self.target.all_aims().next().is_none()
    }

    /// Whether vectors are compared.
    pub fn is_by_meaning(&self) -> bool {
        self.queries.iter().any(Option::is_some)
    }

    /// Whether there is one aim, whose scores are compared with no other's.
    pub fn has_one_aim(&self) -> bool {
        self.target.all_aims().count() == 1
    }

    /// A search by meaning among the items that may be hits.
    pub fn plan(&self, k: usize, rule: VisitingRule, ef: usize) -> Plan<'_> {
        Plan {
            k,
            rule,
            ef,
            exact: self.exact,
            by_meaning: self.is_by_meaning(),
            filter: self.filter.as_ref(),
            without: &self.without,
        }
    }
}

impl<S: Storage> Catalog<S> {
    /// Finds the names of a search.
    ///
    /// # Errors
    /// Fields that the shelf does not have, or of a type that does not fit; a vector of other dimensions, or that is not
    /// finite.
    pub(super) fn asked<'a>(
        &self,
        target: &'a Target,
        options: &'a SearchOptions,
        exact: bool,
    ) -> Result<Asked<'a>> {
        let fields = &self.manifest().fields;
        let queries = target.all_aims().map(|aim| {
            let vector = aim.vector.as_deref();
            vector.map(|vector| self.prepare(vector)).transpose()
        });
        let lists = [
            options.sort.len(),
            options.boosts.len(),
            options.facets.len(),
        ];
        if let Some(found) = lists.into_iter().find(|&len| len > MAX_NAMES) {
            return Err(Error::Option {
                option: "sort, boosts, facets",
                expected: format!("at most {MAX_NAMES} each"),
                found: found.to_string(),
            });
        }
        let sort = options.sort.iter().map(|sort| {
            let field = fields::of_kinds(fields, "sort", &sort.field, ORDERED)?;
            Ok(SortBy {
                field,
                descending: sort.descending,
            })
        });
        let boosts = options.boosts.iter().map(|boost| {
            let number = fields::of_kinds(fields, "boosts", &boost.field, LIFTING)?;
            let pivot = boost.pivot.unwrap_or(1.0);
            if !(boost.weight.is_finite() && pivot.is_finite() && pivot > 0.0) {
                return Err(Error::Option {
                    option: "boosts",
                    expected: "a finite weight, and a pivot above 0".into(),
                    found: format!("{}:{pivot}", boost.weight),
                });
            }
            Ok(BoostBy::new(boost, number, &fields[number]))
        });
        let facets = options.facets.iter().map(|facet| {
            let field = fields::find(fields, "facets", &facet.field)?;
            Ok((facet, field))
        });
        let distinct = options.distinct.as_ref();
        let distinct = distinct.map(|name| fields::of_kinds(fields, "distinct", name, ORDERED));
        if !(0.0..=1.0).contains(&options.diversity) {
            return Err(Error::Option {
                option: "diversity",
                expected: "0 to 1".into(),
                found: options.diversity.to_string(),
            });
        }
        let mut asked = Asked {
            target,
            options,
            queries: queries.collect::<Result<_>>()?,
            filter: self.bound(options)?,
            sort: sort.collect::<Result<_>>()?,
            boosts: boosts.collect::<Result<_>>()?,
            distinct: distinct.transpose()?,
            facets: facets.collect::<Result<_>>()?,
            pinned: self.places(&options.pin)?,
            without: self.places(&options.hide)?,
            exact,
        };
        asked.without.extend(&target.without);
        asked.without.sort_unstable();
        asked.without.dedup();
        Ok(asked)
    }

    /// Places of items by their ids, without those that are not here.
    fn places(&self, ids: &[String]) -> Result<Vec<Place>> {
        if ids.len() > MAX_NAMES {
            return Err(Error::Option {
                option: "pin, hide",
                expected: format!("at most {MAX_NAMES} ids each"),
                found: ids.len().to_string(),
            });
        }
        let mut places = Vec::new();
        for id in ids {
            places.extend(self.find(id)?);
        }
        Ok(places)
    }
}

/// Types of fields that have an order.
const ORDERED: &[FieldKind] = &[FieldKind::Number, FieldKind::Text, FieldKind::Bool];
/// Types of fields that lift scores.
const LIFTING: &[FieldKind] = &[FieldKind::Number, FieldKind::Bool];
