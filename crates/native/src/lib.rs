//! The runtime behind a C ABI. cbindgen makes `native/include/nearshelf.h` of it, with these comments.
//!
//! Every function gives a [`NearshelfStatus`], or something that cannot fail. Results come through pointers, which are
//! written to only when the status is [`NearshelfStatus::Ok`]. Nothing here panics through to the caller.

#![allow(
    clippy::missing_safety_doc,
    reason = "the header's comments state what callers owe; `Safety` sections say it again for Rust"
)]

mod error;
mod field;
mod handle;
mod hits;
mod log;
mod open;
mod options;
mod search;
mod text;
mod update;
mod version;
mod words;

pub use error::{NearshelfStatus, nearshelf_last_error};
pub use field::{
    NearshelfKind, NearshelfValue, nearshelf_field, nearshelf_field_name, nearshelf_tag,
};
pub use handle::NearshelfShelf;
pub use hits::{NearshelfCount, NearshelfFacet, NearshelfHit, NearshelfHits, nearshelf_hits_free};
pub use log::{NearshelfLevel, NearshelfLog, nearshelf_set_log};
pub use open::{
    NearshelfAbout, NearshelfFile, nearshelf_about, nearshelf_close, nearshelf_load_encoder,
    nearshelf_open, nearshelf_open_files, nearshelf_verify,
};
pub use options::{NEARSHELF_LEAVE_WEAK, NEARSHELF_TYPING, NearshelfSearchOptions};
pub use search::{
    NearshelfRecommend, nearshelf_encode, nearshelf_get, nearshelf_recommend, nearshelf_search,
    nearshelf_search_vector, nearshelf_similar,
};
pub use text::{NEARSHELF_NUL_TERMINATED, NearshelfText};
pub use update::{nearshelf_overlay, nearshelf_reopen};
pub use version::{NEARSHELF_ABI, nearshelf_abi, nearshelf_version};
pub use words::{
    NearshelfRange, NearshelfSuggestion, NearshelfSuggestions, nearshelf_matches,
    nearshelf_suggest, nearshelf_suggestions_free,
};
