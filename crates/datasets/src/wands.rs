//! Wayfair's annotated data set: exact, partial, irrelevant.

use std::collections::HashMap;
use std::path::Path;

use crate::error::Result;
use crate::judged::{Judged, Judgement};
use crate::sink::{Sink, table};

const GRADES: [(&str, f32); 3] = [("Exact", 2.0), ("Partial", 1.0), ("Irrelevant", 0.0)];

pub(crate) fn read(folder: &Path, sink: &mut Sink) -> Result<()> {
    let [query_file, product_file] = ["query.csv", "product.csv"].map(|name| folder.join(name));
    let mut queries = HashMap::new();
    table(&query_file, &mut |fields| {
        let query = (fields.required("query")?, fields.text("query_class")?);
        queries.insert(fields.required("query_id")?, query);
        Ok(())
    })?;
    let mut products = HashMap::new();
    table(&product_file, &mut |fields| {
        let text = fields.joined(&["product_name", "product_class"])?;
        products.insert(fields.required("product_id")?, text);
        Ok(())
    })?;
    sink.rows(&folder.join("label.csv"), &mut |fields, rows| {
        let (query, class) = fields.lookup("query_id", &queries, &query_file)?;
        rows.push(Judged {
            query: query.clone(),
            item: fields
                .lookup("product_id", &products, &product_file)?
                .clone(),
            item_id: Some(fields.required("product_id")?),
            judgement: Judgement::Grade(fields.label("label", &GRADES)?),
            weight: 1.0,
            vertical: class.clone(),
        });
        Ok(())
    })
}
