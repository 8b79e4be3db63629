//! Changes of a shelf since its build: new values of items, items that are gone, and what one session says of its own.

mod apply;
mod file;
mod news;
mod renew;
mod session;

pub use file::{Changes, FieldChanges};
pub use news::Overlay;
pub(crate) use news::Session;
