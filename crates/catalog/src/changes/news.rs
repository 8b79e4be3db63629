//! News of items by their ids: live prices and stock, from the shop's own service.

use std::collections::BTreeMap;

use crate::columns::Value;

/// News of items, by id: `None` takes the item out, else fields get new values, `None` for none.
pub type Overlay = BTreeMap<String, Option<BTreeMap<String, Option<Value>>>>;

/// The news of a session, with fields by their numbers.
pub(crate) type Session = BTreeMap<String, Option<Vec<(usize, Option<Value>)>>>;
