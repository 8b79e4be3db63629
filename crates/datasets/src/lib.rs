//! Shoppers' signals as training data.
//!
//! All of it becomes [`Judged`] rows: a query, an item's text, and a grade or an event. That is also the
//! canonical file format, JSON Lines with the fields `query`, `item` (a text), `item_id`, `grade` or
//! `event`, `weight` and `vertical`; [`read`] takes it and the formats of public data sets.

mod amazon_reviews;
mod beir;
mod canonical;
mod click_log;
mod error;
mod esci;
mod fields;
mod judged;
mod mapped;
mod sink;
mod source;
mod split;
mod wands;

pub use canonical::write;
pub use error::{Error, Result};
pub use judged::{Event, Judged, Judgement};
pub use mapped::{ItemTable, Mapping};
pub use sink::{Dataset, Skipped};
pub use source::{Format, Source, read};
pub use split::{Side, Split, SplitBy};
