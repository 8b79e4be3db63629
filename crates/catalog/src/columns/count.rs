//! Counts of the values that some items of a shard have.

use std::collections::HashMap;

use nearshelf_container::{Absent, Storage};
use nearshelf_index::{Allowed, Shard};

use super::tags::AllTags;
use super::text::Texts;
use super::{Columns, FieldKind, Value, boolean, number, presence};

impl Columns {
    /// Counts the values of field `field` that items of a set have: `each` is told every value with its items, in no
    /// order; bools by their names. Of a number field nothing is told.
    ///
    /// # Errors
    /// The column is not here.
    pub(crate) fn count<'a, S: Storage>(
        &'a self,
        shard: &'a Shard<S>,
        field: usize,
        set: &Allowed,
        mut each: impl FnMut(&'a str, u64),
    ) -> Result<(), Absent> {
        let column = field as u32 + 1;
        let mut set = set.clone();
        self.count_changed(field, &mut set, &mut each);
        set.intersect(&presence::present(shard, column)?);
        let mut told = |counts: Vec<u32>, word: &dyn Fn(usize) -> Option<&'a str>| {
            let counted = counts
                .into_iter()
                .enumerate()
                .filter(|(_, count)| *count > 0);
            for (number, count) in counted {
                if let Some(word) = word(number) {
                    each(word, count.into());
                }
            }
        };
        match self.fields.get(field) {
            Some(FieldKind::Text) => match Texts::all(shard, column)? {
                Texts::Numbers(numbers, dictionary) => {
                    let mut counts = vec![0u32; dictionary.len()];
                    for item in set.iter() {
                        let number = numbers.get(usize::from(item));
                        let number = number.map(|&raw| usize::from(u16::from_le_bytes(raw)));
                        if let Some(count) = number.and_then(|number| counts.get_mut(number)) {
                            *count += 1;
                        }
                    }
                    told(counts, &|number| dictionary.word(number));
                }
                texts @ Texts::Plain(..) => {
                    let mut counts: HashMap<&str, u64> = HashMap::new();
                    for text in set.iter().filter_map(|item| texts.of(item)) {
                        *counts.entry(text).or_default() += 1;
                    }
                    for (text, count) in counts {
                        each(text, count);
                    }
                }
            },
            Some(FieldKind::Tags) => {
                let tags = AllTags::read(shard, column)?;
                let mut counts = vec![0u32; tags.dictionary.len()];
                for number in set.iter().flat_map(|item| tags.of(item)) {
                    if let Some(count) = counts.get_mut(number) {
                        *count += 1;
                    }
                }
                told(counts, &|number| tags.dictionary.word(number));
            }
            Some(FieldKind::Bool) => {
                let mut trues = boolean::matching(shard, column, true)?;
                trues.intersect(&set);
                let falses = set.count() - trues.count();
                told(vec![trues.count() as u32, falses as u32], &|number| {
                    Some(["true", "false"][number])
                });
            }
            Some(FieldKind::Number) | None => {}
        }
        Ok(())
    }

    /// Takes the items whose value has changed out of a set, and counts those that were in it.
    fn count_changed<'a>(
        &'a self,
        field: usize,
        set: &mut Allowed,
        each: &mut impl FnMut(&'a str, u64),
    ) {
        let changed = self.changed(field);
        for value in changed
            .map(|changed| changed.take_from(set))
            .into_iter()
            .flatten()
        {
            match value {
                Value::Text(text) => each(text, 1),
                Value::Tags(tags) => tags.iter().for_each(|tag| each(tag, 1)),
                Value::Bool(value) => each(if *value { "true" } else { "false" }, 1),
                Value::Number(_) => {}
            }
        }
    }

    /// Tells the number of field `field` of each item of a set that has one, in no order.
    ///
    /// # Errors
    /// The column is not here.
    pub(crate) fn numbers<S: Storage>(
        &self,
        shard: &Shard<S>,
        field: usize,
        set: &Allowed,
        mut each: impl FnMut(f64),
    ) -> Result<(), Absent> {
        if self.fields.get(field) != Some(&FieldKind::Number) {
            return Ok(());
        }
        let column = field as u32 + 1;
        let mut set = set.clone();
        let changed = self.changed(field);
        for value in changed
            .map(|changed| changed.take_from(&mut set))
            .into_iter()
            .flatten()
        {
            if let Value::Number(number) = value {
                each(*number);
            }
        }
        let present = presence::present(shard, column)?;
        let numbers = number::all(shard, column)?;
        let items = set.iter().filter(|&item| present.contains(item));
        for raw in items.filter_map(|item| numbers.get(usize::from(item))) {
            each(f64::from_le_bytes(*raw));
        }
        Ok(())
    }
}
