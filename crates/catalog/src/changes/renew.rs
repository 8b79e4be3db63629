//! A shelf's next manifest: files that both shelves have are shared, not read again.

use nearshelf_container::{Storage, Stored};

use super::news::Session;
use crate::catalog::Catalog;
use crate::manifest::Field;

impl Catalog<Stored> {
    /// Attaches what another catalog has of the same files, in whole. Both can be used afterwards.
    pub fn share(&mut self, other: &Self) {
        let file = |catalog: &Self| {
            catalog
                .manifest()
                .words
                .as_ref()
                .map(|words| words.file.clone())
        };
        if let Some(words) = other.words().filter(|_| file(self) == file(other)) {
            // What was opened once is opened again, or comes anew.
            let _ = self.attach_words(words.bytes().clone());
        }
        for (from, shard) in other.manifest().shards.iter().enumerate() {
            let shards = &self.manifest().shards;
            let number = shards.iter().position(|own| own.file == shard.file);
            let storage = other.shard(from).map(|shard| shard.storage());
            if let (Some(number), Some(Stored::Whole(bytes))) = (number, storage) {
                let _ = self.attach(number, bytes.clone().into());
            }
        }
    }
}

impl<S: Storage> Catalog<S> {
    /// Takes over the news of another catalog's session, for the fields that both have.
    pub fn share_news(&mut self, other: &Self) {
        self.session = carried(other, self);
        for number in 0..self.parts.len() {
            self.settle(number);
        }
        self.forget_sets();
    }

    /// Whether a file of the manifest is attached.
    pub fn has(&self, name: &str) -> bool {
        let words = self.manifest().words.as_ref();
        let mut shards = self.manifest().shards.iter().enumerate();
        shards.any(|(number, shard)| shard.file.name == name && self.shard(number).is_some())
            || words.is_some_and(|words| words.file.name == name && self.words().is_some())
    }
}

/// The session's news for the fields of the next catalog: those that it has no more are left out.
fn carried<S: Storage>(from: &Catalog<S>, to: &Catalog<S>) -> Session {
    let place = |field: &Field| {
        let fields = &to.manifest().fields;
        fields
            .iter()
            .position(|f| (&f.name, f.kind) == (&field.name, field.kind))
    };
    let places: Vec<Option<usize>> = from.manifest().fields.iter().map(place).collect();
    from.session.carried(&places)
}
