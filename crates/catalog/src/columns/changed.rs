//! Values of a column that have changed since its shard was written.

use nearshelf_index::Allowed;

use super::value::Value;

/// New values of some items of a shard.
#[derive(Debug, Clone)]
pub(super) struct Changed {
    /// For each item the place of its value, from 1 on; 0 where it has not changed.
    places: Vec<u16>,
    values: Vec<(u16, Option<Value>)>,
}

impl Changed {
    /// Nothing has changed of so many items.
    pub fn new(items: usize) -> Self {
        Changed {
            places: vec![0; items],
            values: Vec::new(),
        }
    }

    /// Sets the value of an item; one that the shard does not have is left out.
    pub fn set(&mut self, item: u16, value: Option<Value>) {
        let Some(place) = self.places.get_mut(usize::from(item)) else {
            return;
        };
        match usize::from(*place).checked_sub(1) {
            Some(at) => self.values[at].1 = value,
            None => {
                self.values.push((item, value));
                // No more values than items, of which a shard has fewer than 65,536.
                *place = self.values.len() as u16;
            }
        }
    }

    /// The value of an item; `None` where it has not changed.
    pub fn of(&self, item: u32) -> Option<Option<&Value>> {
        let at = usize::from(*self.places.get(item as usize)?).checked_sub(1)?;
        Some(self.values.get(at)?.1.as_ref())
    }

    /// The items that have changed, with their values.
    pub fn values(&self) -> impl Iterator<Item = (u16, Option<&Value>)> {
        let values = self.values.iter();
        values.map(|(item, value)| (*item, value.as_ref()))
    }

    /// Corrects a set of items whose old values pass a test.
    pub fn correct(&self, set: &mut Allowed, passes: impl Fn(&Value) -> bool) {
        for (item, value) in self.values() {
            match value.is_some_and(&passes) {
                true => set.insert(item),
                false => set.remove(item),
            }
        }
    }

    /// Takes the items that have changed out of a set; those of them that were in it, with their values.
    pub fn take_from<'a>(&'a self, set: &mut Allowed) -> Vec<&'a Value> {
        let mut taken = Vec::new();
        for (item, value) in self
            .values()
            .filter(|(item, _)| set.contains(*item))
            .collect::<Vec<_>>()
        {
            set.remove(item);
            taken.extend(value);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_counts() {
        let mut changed = Changed::new(3);
        changed.set(2, Some(Value::Number(1.0)));
        changed.set(2, Some(Value::Number(2.0)));
        changed.set(0, None);
        changed.set(7, Some(Value::Number(3.0)));
        assert_eq!(changed.of(2), Some(Some(&Value::Number(2.0))));
        assert_eq!(
            (changed.of(0), changed.of(1), changed.of(7)),
            (Some(None), None, None)
        );
        let mut set = Allowed::where_(3, |item| item == 0);
        changed.correct(&mut set, |value| *value == Value::Number(2.0));
        assert_eq!(set, Allowed::where_(3, |item| item == 2));
        let mut all = Allowed::all(3);
        assert_eq!(changed.take_from(&mut all), [&Value::Number(2.0)]);
        assert_eq!(all, Allowed::where_(3, |item| item == 1));
    }
}
