//! Amazon's Shopping Queries: exact, substitute, complement, irrelevant.

use std::collections::HashMap;
use std::path::Path;

use crate::error::Result;
use crate::judged::{Judged, Judgement};
use crate::sink::{Sink, table};

const GRADES: [(&str, f32); 4] = [("E", 3.0), ("S", 2.0), ("C", 1.0), ("I", 0.0)];

/// Fields of a product that make its text.
const TEXT: [&str; 3] = ["product_title", "product_brand", "product_color"];

/// The part of the data that is read.
pub(crate) struct Wanted<'a> {
    pub locale: &'a str,
    pub part: Option<&'a str>,
}

pub(crate) fn read(
    examples: &Path,
    products: &Path,
    wanted: Wanted<'_>,
    sink: &mut Sink,
) -> Result<()> {
    let mut items = HashMap::new();
    table(products, &mut |fields| {
        if fields.required("product_locale")? == wanted.locale {
            items.insert(fields.required("product_id")?, fields.joined(&TEXT)?);
        }
        Ok(())
    })?;
    sink.rows(examples, &mut |fields, rows| {
        let other = wanted.part.is_some_and(|part| {
            fields
                .text("split")
                .is_ok_and(|found| found.as_deref() != Some(part))
        });
        if other || fields.required("product_locale")? != wanted.locale {
            return Ok(());
        }
        rows.push(Judged {
            query: fields.required("query")?,
            item: fields.lookup("product_id", &items, products)?.clone(),
            item_id: Some(fields.required("product_id")?),
            judgement: Judgement::Grade(fields.label("esci_label", &GRADES)?),
            weight: 1.0,
            vertical: None,
        });
        Ok(())
    })
}
