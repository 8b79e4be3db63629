//! Amazon Reviews 2023: a review and the item it is about are a pair.

use std::collections::HashMap;
use std::path::Path;

use crate::error::Result;
use crate::judged::{Judged, Judgement};
use crate::sink::{Sink, table};

/// Fields of the metadata that make an item's text, in this order.
const TEXT: [&str; 4] = ["title", "store", "features", "description"];

struct Item {
    text: String,
    category: Option<String>,
}

pub(crate) fn read(reviews: &Path, metadata: &Path, sink: &mut Sink) -> Result<()> {
    let mut items = HashMap::new();
    table(metadata, &mut |fields| {
        // Some thousand items of the original have no title; reviews of those find nothing.
        if fields.text("title")?.is_some() {
            let item = Item {
                text: fields.joined(&TEXT)?,
                category: fields.text("main_category")?,
            };
            items.insert(fields.required("parent_asin")?, item);
        }
        Ok(())
    })?;
    sink.rows(reviews, &mut |fields, rows| {
        let item = fields.lookup("parent_asin", &items, metadata)?;
        rows.push(Judged {
            query: fields.joined(&["title", "text"])?,
            item: item.text.clone(),
            item_id: Some(fields.required("parent_asin")?),
            judgement: Judgement::Grade(1.0),
            weight: 1.0,
            vertical: item.category.clone(),
        });
        Ok(())
    })
}
