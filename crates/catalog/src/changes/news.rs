//! News of items by their ids: live prices and stock, from the shop's own service.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::columns::Value;

/// The news of an item: new values of fields, `None` for none; or `None`, and the item is gone.
type NewsOf<F> = Option<Vec<(F, Option<Value>)>>;

/// News of items that are laid over a shelf.
///
/// As JSON: `{ "sku-1": { "price": 99 }, "sku-2": null }`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overlay(Vec<(String, NewsOf<String>)>);

impl Overlay {
    /// Gives an item a new value of a field; `None` takes the value away.
    #[must_use]
    pub fn with(mut self, id: &str, field: &str, value: impl Into<Option<Value>>) -> Self {
        let news = (field.to_owned(), value.into());
        self.0.push((id.to_owned(), Some(vec![news])));
        self
    }

    /// Takes an item out.
    #[must_use]
    pub fn without(mut self, id: &str) -> Self {
        self.0.push((id.to_owned(), None));
        self
    }

    /// The items with their news, in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &(String, NewsOf<String>)> {
        self.0.iter()
    }
}

/// The news of a session, by id, with fields by their numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Session(Vec<(String, NewsOf<usize>)>);

impl Session {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The items with their news, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &(String, NewsOf<usize>)> {
        self.0.iter()
    }

    /// Adds news behind those before; what is gone is gone.
    pub fn add(&mut self, id: &str, news: NewsOf<usize>) {
        match self.0.binary_search_by(|(known, _)| known.as_str().cmp(id)) {
            Err(at) => self.0.insert(at, (id.to_owned(), news)),
            Ok(at) => match (&mut self.0[at].1, news) {
                (Some(before), Some(news)) => {
                    // The last value of a field counts: a session of many is no longer than its fields.
                    before.retain(|(field, _)| news.iter().all(|(newer, _)| newer != field));
                    before.extend(news);
                }
                (before, _) => *before = None,
            },
        }
    }
}

impl<'de> Deserialize<'de> for Overlay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = Pairs::<Option<Pairs<Option<Value>>>>::deserialize(deserializer)?;
        let news = items.0.into_iter();
        Ok(Overlay(
            news.map(|(id, news)| (id, news.map(|fields| fields.0)))
                .collect(),
        ))
    }
}

/// A map in the order in which it was written.
struct Pairs<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor(PhantomData))
    }
}

struct PairsVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for PairsVisitor<T> {
    type Value = Pairs<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<T>, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, a bool or a list of texts")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut tags: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(tag) = tags.next_element()? {
            all.push(tag);
        }
        Ok(Value::Tags(all))
    }
}
