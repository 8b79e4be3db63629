//! Hits and their fields.

use std::ops::Range;

use nearshelf_container::{Absent, Storage};
use nearshelf_lexical::Naming;

use super::candidate::Parts;
use crate::catalog::Catalog;
use crate::columns::ValueRef;
use crate::error::Result;

/// An item that answers a query.
#[derive(Debug)]
pub struct Hit<'a, S> {
    /// The item's id in the catalog.
    pub id: &'a str,
    /// The score that hits are ordered by: by meaning the cosine of query and item, by words BM25F, and from 0 to 1 where both are
    /// compared. An item that the query names has the best score of all on top of its own, by an identifier twice. Of several
    /// interests it is the interest's weight over the rank in it. Boosts are part of it.
    pub score: f32,
    /// The parts of the score.
    pub parts: Parts,
    /// The shard that holds it.
    pub shard: u32,
    /// Its place in the shard.
    pub item: u32,
    /// Items that the filter allows and that have its value of [`crate::SearchOptions::distinct`], itself among them;
    /// `None` where that was not asked for, or it has no value.
    pub variants: Option<u64>,
    pub(super) catalog: &'a Catalog<S>,
}

/// The share of a query's words from which on an item is no chance hit.
pub(super) const COVERED: f32 = 0.5;

impl<S> Catalog<S> {
    /// Whether an item is no better than those that queries for anything else find.
    pub(super) fn is_weak(&self, parts: &Parts) -> bool {
        if parts.meaning.is_none() && parts.words.is_none() {
            return false;
        }
        let near = parts.meaning.is_some_and(|cosine| cosine >= self.cutoff());
        !near && parts.named == Naming::None && parts.coverage < COVERED
    }
}

impl<S: Storage> Catalog<S> {
    /// The item with an id, among the attached shards: a hit without a score.
    ///
    /// # Errors
    /// Ids of a shard are not here.
    pub fn get(&self, id: &str) -> Result<Option<Hit<'_, S>>> {
        let Some((shard, item)) = self.find(id)? else {
            return Ok(None);
        };
        let id = self
            .id(shard, item)
            .map_err(|e| self.absent(shard as usize, e))?;
        Ok(id.map(|id| Hit {
            id,
            score: 0.0,
            parts: Parts::default(),
            shard,
            item,
            variants: None,
            catalog: self,
        }))
    }
}

impl<S> Clone for Hit<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Hit<'_, S> {}

impl<'a, S: Storage> Hit<'a, S> {
    /// Whether it is no better than what queries for things that the catalog does not have find: its cosine is below the
    /// shelf's cut-off, which the build measured, and it has less than half of the query's words.
    pub fn is_weak(&self) -> bool {
        self.catalog.is_weak(&self.parts)
    }

    /// The value of a field; `None` where the item has none, the catalog no such field, or the value is not here
    /// ([`Hit::absent`]).
    pub fn field(&self, name: &str) -> Option<ValueRef<'a>> {
        let fields = &self.catalog.manifest().fields;
        let field = fields.iter().position(|f| f.name == name)?;
        self.value(field).unwrap_or_default()
    }

    /// All fields that the item has and that are here, in the catalog's order.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, ValueRef<'a>)> + use<'a, S> {
        let hit = *self;
        let fields = hit.catalog.manifest().fields.iter().enumerate();
        fields.filter_map(move |(i, field)| {
            let value = hit.value(i).unwrap_or_default()?;
            Some((field.name.as_str(), value))
        })
    }

    /// Ranges of the item's shard that have to come before all of its fields can be read: the next ones, as a
    /// text's place is known once its start is here.
    pub fn absent(&self) -> Vec<Range<usize>> {
        let fields = 0..self.catalog.manifest().fields.len();
        let absent = fields.filter_map(|field| self.value(field).err());
        absent.map(|Absent(range)| range).collect()
    }

    fn value(&self, field: usize) -> Result<Option<ValueRef<'a>>, Absent> {
        self.catalog.value(self.shard, field, self.item)
    }
}
