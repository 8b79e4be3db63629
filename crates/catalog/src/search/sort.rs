//! The order of hits by fields: `price:asc`, `rating:desc`.

use std::cmp::Ordering;
use std::str::FromStr;

use nearshelf_container::Storage;
use serde::Deserialize;

use super::candidate::Ranked;
use crate::catalog::Catalog;
use crate::columns::ValueRef;

/// A field that hits are ordered by. Items without a value stand last either way.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Sort {
    /// A number, text or bool field.
    pub field: String,
    /// Whether the largest comes first.
    pub descending: bool,
}

impl FromStr for Sort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (field, descending) = match text.trim().rsplit_once(':') {
            Some((field, "asc")) => (field, false),
            Some((field, "desc")) => (field, true),
            Some((_, found)) => return Err(format!("expected asc or desc, found {found:?}")),
            None => (text.trim(), false),
        };
        match field {
            "" => Err(format!("expected FIELD:asc or FIELD:desc, found {text:?}")),
            field => Ok(Sort {
                field: field.to_owned(),
                descending,
            }),
        }
    }
}

/// A field that hits are ordered by, found in the shelf.
#[derive(Debug, Clone, Copy)]
pub(super) struct SortBy {
    pub field: usize,
    pub descending: bool,
}

/// An item with its value of the first field.
pub(super) struct Keyed<'a> {
    key: Option<ValueRef<'a>>,
    pub item: Ranked,
}

impl<S: Storage> Catalog<S> {
    /// Items with their values of the first field.
    pub(super) fn keyed(&self, items: Vec<Ranked>, sort: &[SortBy]) -> Vec<Keyed<'_>> {
        let key = |item: &Ranked| sort.first().and_then(|by| self.key(item, by.field));
        let keyed = items.into_iter().map(|item| Keyed {
            key: key(&item),
            item,
        });
        keyed.collect()
    }

    fn key(&self, item: &Ranked, field: usize) -> Option<ValueRef<'_>> {
        let (shard, place) = item.place;
        self.value(shard, field, place).unwrap_or_default()
    }

    /// The order of two items: by the fields, then by score, then by place.
    pub(super) fn compare(&self, a: &Keyed<'_>, b: &Keyed<'_>, sort: &[SortBy]) -> Ordering {
        let first = sort.first().map_or(Ordering::Equal, |by| {
            compare_keys(a.key.as_ref(), b.key.as_ref(), by.descending)
        });
        let rest = || {
            let mut fields = sort.iter().skip(1).map(|by| {
                let keys = [a, b].map(|keyed| self.key(&keyed.item, by.field));
                compare_keys(keys[0].as_ref(), keys[1].as_ref(), by.descending)
            });
            fields
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        };
        first
            .then_with(rest)
            .then(b.item.score.total_cmp(&a.item.score))
            .then(a.item.place.cmp(&b.item.place))
    }
}

fn compare_keys(a: Option<&ValueRef<'_>>, b: Option<&ValueRef<'_>>, descending: bool) -> Ordering {
    let (a, b) = match (a, b) {
        (Some(a), Some(b)) => (a, b),
        (a, b) => return b.is_some().cmp(&a.is_some()),
    };
    let order = match (a, b) {
        (ValueRef::Number(a), ValueRef::Number(b)) => a.total_cmp(b),
        (ValueRef::Text(a), ValueRef::Text(b)) => a.cmp(b),
        (ValueRef::Bool(a), ValueRef::Bool(b)) => a.cmp(b),
        _ => Ordering::Equal,
    };
    if descending { order.reverse() } else { order }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_directions_are_read() {
        let sort = |field: &str, descending| {
            Ok(Sort {
                field: field.into(),
                descending,
            })
        };
        assert_eq!("price:asc".parse(), sort("price", false));
        assert_eq!(" rating:desc ".parse(), sort("rating", true));
        assert_eq!("price".parse(), sort("price", false));
        assert_eq!("a:b:desc".parse(), sort("a:b", true));
        assert!("price:up".parse::<Sort>().is_err());
        assert!(":asc".parse::<Sort>().is_err() && "".parse::<Sort>().is_err());
    }

    #[test]
    fn what_has_no_value_stands_last_either_way() {
        let (one, two) = (ValueRef::Number(1.0), ValueRef::Number(2.0));
        for descending in [false, true] {
            assert_eq!(compare_keys(Some(&one), None, descending), Ordering::Less);
            assert_eq!(
                compare_keys(None, Some(&one), descending),
                Ordering::Greater
            );
            assert_eq!(compare_keys(None, None, descending), Ordering::Equal);
        }
        assert_eq!(compare_keys(Some(&one), Some(&two), false), Ordering::Less);
        assert_eq!(
            compare_keys(Some(&one), Some(&two), true),
            Ordering::Greater
        );
    }
}
