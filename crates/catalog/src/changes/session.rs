//! News of one session are laid over a shelf: they are in no file, and stand above those of the shelf.

use nearshelf_container::Storage;

use super::news::{Overlay, Session};
use crate::catalog::Catalog;
use crate::columns::Value;
use crate::error::{Error, Result};
use crate::fields;
use crate::ids;

impl<S: Storage> Catalog<S> {
    /// Lays news over the shelf, above what was laid before. Those of items whose shards are not attached yet wait for them.
    ///
    /// # Errors
    /// A field that the shelf does not have, or a value of another type than its field's. Nothing is laid over then.
    pub fn overlay(&mut self, news: &Overlay) -> Result<()> {
        let mut checked = Vec::new();
        for (id, news) in news.iter() {
            let news = news.as_ref().map(|values| {
                let values = values.iter();
                values.map(|(name, value)| self.new_value(id, name, value.as_ref()))
            });
            let news: Option<Vec<_>> = news.map(Iterator::collect).transpose()?;
            checked.push((id, news));
        }
        for (id, news) in checked {
            for number in 0..self.parts.len() {
                self.lay_over(number, id, news.as_deref());
            }
            self.session.add(id, news);
        }
        self.forget_sets();
        Ok(())
    }

    fn new_value(
        &self,
        id: &str,
        name: &str,
        value: Option<&Value>,
    ) -> Result<(usize, Option<Value>)> {
        let known = &self.manifest().fields;
        let field = fields::find(known, "overlay", name)?;
        let kind = known[field].kind;
        if let Some(value) = value.filter(|value| value.kind() != kind) {
            return Err(Error::Option {
                option: "overlay",
                expected: format!("{name} of {id} to be of type {}", kind.name()),
                found: value.kind().name().into(),
            });
        }
        Ok((field, value.cloned()))
    }

    /// Lays the session's news over what is here of a shard. Sets of filters are to be forgotten afterwards.
    pub(crate) fn settle(&mut self, number: usize) {
        if self.session.is_empty() {
            return;
        }
        let session = std::mem::take(&mut self.session);
        for (id, news) in session.iter() {
            self.lay_over(number, id, news.as_deref());
        }
        self.session = session;
    }

    /// Lays news of one item over a shard, where the shard is here and holds it.
    fn lay_over(&mut self, number: usize, id: &str, news: Option<&[(usize, Option<Value>)]>) {
        let shard = self.shard(number);
        let found = shard.and_then(|shard| ids::find(shard, id).ok().flatten());
        let Some(item) = found.filter(|&item| self.lives(number, item)) else {
            return;
        };
        match news {
            None => self.take_out(number, item),
            Some(values) => {
                for (field, value) in values {
                    if let (Some(stats), Some(value)) =
                        (self.manifest.fields.get_mut(*field), value)
                    {
                        stats.stats.widen(value);
                    }
                    self.change(number, item, *field, value.clone());
                }
            }
        }
    }
}

impl Session {
    /// The news for other fields, by the place that each has there; those of fields that are not there are left out.
    pub(super) fn carried(&self, places: &[Option<usize>]) -> Session {
        let mut carried = Session::default();
        for (id, news) in self.iter() {
            let news = news.as_ref().map(|values| {
                let values = values.iter();
                let values = values.filter_map(|(field, value)| {
                    let place = places.get(*field).copied().flatten();
                    Some((place?, value.clone()))
                });
                values.collect()
            });
            carried.add(id, news);
        }
        carried
    }
}
