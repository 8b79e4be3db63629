//! The items' fields, a column each, in sections of the shard: a value is found in O(1) and read in
//! place. Column 0 holds the ids, column 1 + i the manifest's field i.

mod boolean;
mod changed;
mod count;
mod dictionary;
mod number;
pub(crate) mod plain;
mod presence;
mod tags;
mod test;
mod text;
mod value;

use std::sync::Arc;

use nearshelf_container::{Absent, Kind, Storage};
use nearshelf_index::{Allowed, Shard, ShardBuilder};

use crate::error::{Error, Result};
use crate::ids::{self, ID_COLUMN};
use changed::Changed;
pub(crate) use test::Test;
pub use value::{FieldKind, Value, ValueRef};

/// The columns of a shard, and what has changed of them since it was written.
#[derive(Debug, Clone)]
pub struct Columns {
    fields: Vec<FieldKind>,
    /// By field; `None` where nothing has changed.
    changed: Vec<Option<Arc<Changed>>>,
}

impl Columns {
    /// Columns of these types, of which nothing has changed.
    pub fn new(fields: &[FieldKind]) -> Self {
        Columns {
            fields: fields.to_vec(),
            changed: vec![None; fields.len()],
        }
    }

    /// Gives an item of a shard of `items` items a new value of field `field`; `None` takes the value away.
    pub(crate) fn change(&mut self, field: usize, items: usize, item: u16, value: Option<Value>) {
        if let Some(changed) = self.changed.get_mut(field) {
            let changed = changed.get_or_insert_with(|| Arc::new(Changed::new(items)));
            Arc::make_mut(changed).set(item, value);
        }
    }

    fn changed(&self, field: usize) -> Option<&Changed> {
        self.changed.get(field)?.as_deref()
    }

    /// Checks that the shard holds an id column and one column for each field, of the right sizes.
    ///
    /// # Errors
    /// The first section that is missing or of another size.
    pub fn check<S: Storage>(&self, file: &str, shard: &Shard<S>) -> Result<()> {
        let items = shard.len();
        let at_file = |source| Error::File {
            file: file.to_owned(),
            source,
        };
        let sized = |kind: Kind, column: u32, expected: usize| {
            let section = shard.head().sized(kind, column, expected as u64);
            section.map(drop).map_err(at_file)
        };
        sized(plain::STARTS, ID_COLUMN, 4 * (items + 1))?;
        sized(ids::ORDER, ID_COLUMN, 2 * items)?;
        for (column, kind) in (1..).zip(&self.fields) {
            match kind {
                FieldKind::Text => text::check(shard, column).map_err(at_file)?,
                FieldKind::Number => sized(number::NUMBERS, column, 8 * items)?,
                FieldKind::Bool => sized(boolean::BOOLS, column, items)?,
                FieldKind::Tags => sized(tags::STARTS, column, 4 * (items + 1))?,
            }
            if shard.head().find(presence::PRESENCE, column).is_some() {
                sized(presence::PRESENCE, column, items.div_ceil(8))?;
            }
        }
        Ok(())
    }

    /// Writes ids and fields, `rows[item][field]`, as sections.
    ///
    /// # Errors
    /// A column of more than 4 GiB.
    pub fn write(
        shard: &mut ShardBuilder,
        ids: &[&str],
        fields: &[FieldKind],
        rows: &[&[Option<Value>]],
    ) -> Result<()> {
        ids::write(shard, ids)?;
        for (field, (column, kind)) in (1..).zip(fields).enumerate() {
            let values = rows
                .iter()
                .map(|row| row.get(field).and_then(Option::as_ref));
            presence::write(shard, column, values.clone());
            match kind {
                FieldKind::Text => {
                    let texts: Vec<&str> = values
                        .map(|value| match value {
                            Some(Value::Text(text)) => text,
                            _ => "",
                        })
                        .collect();
                    text::write(shard, column, &texts)?;
                }
                FieldKind::Number => number::write(shard, column, values),
                FieldKind::Bool => boolean::write(shard, column, values),
                FieldKind::Tags => tags::write(shard, column, values)?,
            }
        }
        Ok(())
    }

    /// Items of the shard whose value of field `field` passes a test of its type; none where it is of another.
    ///
    /// # Errors
    /// The column is not here.
    pub(crate) fn matching<S: Storage>(
        &self,
        shard: &Shard<S>,
        field: usize,
        test: &Test,
    ) -> Result<Allowed, Absent> {
        let column = field as u32 + 1;
        let mut found = match (test, self.fields.get(field)) {
            (Test::Exists, Some(_)) => Allowed::all(shard.len()),
            (Test::Bool(wanted), Some(FieldKind::Bool)) => {
                boolean::matching(shard, column, *wanted)?
            }
            (Test::Between(least, most), Some(FieldKind::Number)) => {
                let (least, most) = test::closed(*least, *most);
                number::matching(shard, column, |number| least <= number && number <= most)?
            }
            (Test::Numbers(numbers), Some(FieldKind::Number)) => {
                number::matching(shard, column, |number| numbers.contains(&number))?
            }
            (Test::Words(words), Some(FieldKind::Text)) => text::matching(shard, column, words)?,
            (Test::Words(words), Some(FieldKind::Tags)) => tags::matching(shard, column, words)?,
            _ => return Ok(Allowed::none(shard.len())),
        };
        // What has no value is stored as zero, false or an empty text.
        found.intersect(&presence::present(shard, column)?);
        if let Some(changed) = self.changed(field) {
            changed.correct(&mut found, |value| test.passes(value));
        }
        Ok(found)
    }

    /// The value of field `field` of an item; `None` where it has none.
    ///
    /// # Errors
    /// The value is not here.
    pub fn value<'a, S: Storage>(
        &'a self,
        shard: &'a Shard<S>,
        field: usize,
        item: u32,
    ) -> Result<Option<ValueRef<'a>>, Absent> {
        match self.changed(field).and_then(|changed| changed.of(item)) {
            Some(value) => Ok(value.map(ValueRef::from)),
            None => self.stored(shard, field, item),
        }
    }

    /// The value of field `field` of an item as the shard has it.
    fn stored<'a, S: Storage>(
        &self,
        shard: &'a Shard<S>,
        field: usize,
        item: u32,
    ) -> Result<Option<ValueRef<'a>>, Absent> {
        let column = field as u32 + 1;
        let Some(kind) = self.fields.get(field) else {
            return Ok(None);
        };
        if item as usize >= shard.len() || !presence::is_present(shard, column, item)? {
            return Ok(None);
        }
        Ok(match kind {
            FieldKind::Text => text::read(shard, column, item)?.map(ValueRef::Text),
            FieldKind::Number => number::read(shard, column, item)?.map(ValueRef::Number),
            FieldKind::Bool => boolean::read(shard, column, item)?.map(ValueRef::Bool),
            FieldKind::Tags => tags::read(shard, column, item)?.map(ValueRef::Tags),
        })
    }

    /// Reads every value: each must be there, in UTF-8, inside its section; and ids have to stand in order.
    ///
    /// # Errors
    /// The first value that cannot be read, or is not here.
    pub fn verify<S: Storage>(&self, file: &str, shard: &Shard<S>) -> Result<()> {
        let absent = |absent: Absent| Error::File {
            file: file.to_owned(),
            source: absent.into(),
        };
        let unreadable = |column: u32, item: u32| Error::Mismatch {
            file: file.to_owned(),
            place: format!("column {column}, item {item}"),
            expected: "a readable value".into(),
            found: "a range outside its section, or no UTF-8".into(),
        };
        for item in 0..shard.len() as u32 {
            if ids::id(shard, item).map_err(absent)?.is_none() {
                return Err(unreadable(ID_COLUMN, item));
            }
            for (field, column) in (1..=self.fields.len() as u32).enumerate() {
                let present = presence::is_present(shard, column, item).map_err(absent)?;
                if present && self.stored(shard, field, item).map_err(absent)?.is_none() {
                    return Err(unreadable(column, item));
                }
            }
        }
        ids::verify(file, shard)
    }
}
