//! Changes take effect: columns get new values, items are taken out of what lives.

use std::sync::Arc;

use nearshelf_container::{Absent, Storage};
use nearshelf_index::Allowed;

use super::file::Changes;
use crate::catalog::Catalog;
use crate::columns::Value;
use crate::error::{Error, Result};
use crate::filter::Node;
use crate::manifest::{FieldStats, FileRef};

impl<S: Storage> Catalog<S> {
    /// Applies a file of changes, behind those that were applied before. `file` describes it.
    ///
    /// # Errors
    /// Bytes of another length or digest, a file that is damaged, changes of items or fields that the shelf does not have.
    /// Nothing is applied then.
    pub fn apply(&mut self, file: &FileRef, bytes: &[u8]) -> Result<()> {
        file.verify(bytes)?;
        let changes = Changes::from_bytes(bytes, self.manifest().fields.len());
        let changes = changes.map_err(|source| Error::File {
            file: file.name.clone(),
            source,
        })?;
        self.check_changes(&file.name, &changes)?;
        for field in changes.fields {
            for (number, value) in field.values {
                if let Some((shard, item)) = self.item(number) {
                    self.change(shard, item, field.field, value);
                }
            }
        }
        for number in changes.gone {
            if let Some((shard, item)) = self.item(number) {
                self.take_out(shard, item);
            }
        }
        // News of the session stand above files.
        for number in 0..self.parts.len() {
            self.settle(number);
        }
        self.forget_sets();
        Ok(())
    }

    fn check_changes(&self, file: &str, changes: &Changes) -> Result<()> {
        let wrong = |place: String, expected: String, found: String| Error::Mismatch {
            file: file.to_owned(),
            place,
            expected,
            found,
        };
        let fields = &self.manifest().fields;
        for field in &changes.fields {
            let kind = fields[field.field].kind;
            if field.kind != kind {
                return Err(wrong(
                    format!("section CHNG {}", field.field),
                    format!("values of type {} (by the manifest)", kind.name()),
                    field.kind.name().into(),
                ));
            }
        }
        let changed = changes.fields.iter().flat_map(|field| &field.values);
        let numbers = changed.map(|(number, _)| *number);
        for number in numbers.chain(changes.gone.iter().copied()) {
            if self.item(number).is_none() {
                let expected = "numbers of the shelf's items".into();
                return Err(wrong("numbers".into(), expected, number.to_string()));
            }
        }
        Ok(())
    }

    /// Gives an item a new value of a field. Sets of filters are to be forgotten afterwards.
    pub(super) fn change(&mut self, shard: usize, item: u32, field: usize, value: Option<Value>) {
        let stats = &mut self.manifest.shards[shard].stats;
        if let (Some(stats), Some(value)) = (stats.get_mut(field), &value) {
            // Filters rule shards out by these.
            stats.widen(value);
        }
        let items = self.manifest.shards[shard].items as usize;
        let columns = &mut self.parts[shard].columns;
        columns.change(field, items, item as u16, value);
    }

    /// Takes an item out of what lives. Sets of filters are to be forgotten afterwards.
    pub(super) fn take_out(&mut self, shard: usize, item: u32) {
        if self.parts[shard].living.is_none() {
            // All shards have a set, or none has.
            for (part, described) in self.parts.iter_mut().zip(&self.manifest.shards) {
                part.living = Some(Arc::new(Allowed::all(described.items as usize)));
            }
        }
        if let Some(living) = &mut self.parts[shard].living {
            Arc::make_mut(living).remove(item as u16);
        }
    }

    /// Statistics of a field over the items that are not gone.
    ///
    /// # Errors
    /// Values that are not here.
    pub fn living_stats(&self, field: usize) -> Result<FieldStats> {
        let kind = self.manifest().fields[field].kind;
        let mut values = Vec::new();
        for number in 0..self.parts.len() {
            let Some((shard, columns)) = self.columns_of(number) else {
                continue;
            };
            for item in (0..shard.len() as u32).filter(|&item| self.lives(number, item)) {
                let value = columns.value(shard, field, item);
                values.push(value.map_err(|absent| self.absent(number, absent))?);
            }
        }
        Ok(FieldStats::of(kind, values.into_iter()))
    }

    /// Whether an item is not gone.
    pub(crate) fn lives(&self, shard: usize, item: u32) -> bool {
        let living = self.parts.get(shard).and_then(|part| part.living.as_ref());
        living.is_none_or(|living| living.holds(item))
    }

    /// Items of a shard that are not gone, whether it is attached or not.
    pub fn living_items(&self, shard: usize) -> usize {
        let living = self.parts.get(shard).and_then(|part| part.living.as_ref());
        let all = self.manifest.shards.get(shard);
        match living {
            Some(living) => living.count(),
            None => all.map_or(0, |all| all.items as usize),
        }
    }

    /// The items of an attached shard that are not gone and that a filter allows; `None` where these are all of them, or
    /// the shard is not attached.
    ///
    /// # Errors
    /// A column that is not here.
    pub(crate) fn allowed_of(
        &self,
        number: usize,
        filter: Option<&Node>,
    ) -> Result<Option<Arc<Allowed>>, Absent> {
        match filter {
            Some(filter) => self.allowed(number, filter),
            None => Ok(self.parts.get(number).and_then(|part| part.living.clone())),
        }
    }
}
