//! Judged rows: query, item, grade.

use serde::{Deserialize, Serialize};

/// A shopper's act on an item that a query brought up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// Bought it.
    Ordered,
    /// Looked at it.
    Clicked,
    /// Saw it and went on.
    Shown,
}

impl Event {
    /// The names.
    pub const NAMES: &str = "\"ordered\", \"clicked\" or \"shown\"";

    /// The event as a grade: ordered 3, clicked 2, shown 1.
    pub fn grade(self) -> f32 {
        match self {
            Event::Ordered => 3.0,
            Event::Clicked => 2.0,
            Event::Shown => 1.0,
        }
    }
}

/// Grade of an item for a query.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Judgement {
    /// By a person who was asked: more is better.
    Grade(f32),
    /// By what shoppers did.
    Event(Event),
}

impl Judgement {
    /// As a number.
    pub fn grade(self) -> f32 {
        match self {
            Judgement::Grade(grade) => grade,
            Judgement::Event(event) => event.grade(),
        }
    }
}

/// A query, an item and how well they fit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// The shopper's words.
    pub query: String,
    /// The item's text, as it is encoded.
    pub item: String,
    /// The item's id, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_id: Option<String>,
    /// Their grade.
    #[serde(flatten)]
    pub judgement: Judgement,
    /// Weight of the row, 1 by default; for queries the number of times that they are asked.
    #[serde(skip_serializing_if = "is_one")]
    pub weight: f32,
    /// The part of the shop: a category, a source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vertical: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_one(weight: &f32) -> bool {
    *weight == 1.0
}
