//! Click logs: a search, what it showed, and what became of it. An item counts by the best that happened
//! to it.

use std::collections::HashMap;
use std::path::Path;

use crate::error::Result;
use crate::judged::{Event, Judged, Judgement};
use crate::mapped::ItemTable;
use crate::sink::Sink;

pub(crate) fn read(log: &Path, items: &ItemTable, root: &Path, sink: &mut Sink) -> Result<()> {
    let texts: HashMap<String, String> = items.read(root)?.into_iter().collect();
    sink.rows(log, &mut |fields, rows| {
        let query = fields.required("query")?;
        let vertical = fields.text("vertical")?;
        let mut seen = Vec::new();
        for (name, event) in [
            ("ordered", Event::Ordered),
            ("clicked", Event::Clicked),
            ("shown", Event::Shown),
        ] {
            for id in fields.list(name)? {
                if seen.contains(&id) {
                    continue;
                }
                let Some(text) = texts.get(&id) else {
                    let expected = format!("ids in {name:?} to be in {}", items.path.display());
                    return Err(fields.error(expected, format!("{id:?}")));
                };
                rows.push(Judged {
                    query: query.clone(),
                    item: text.clone(),
                    item_id: Some(id.clone()),
                    judgement: Judgement::Event(event),
                    weight: 1.0,
                    vertical: vertical.clone(),
                });
                seen.push(id);
            }
        }
        if seen.is_empty() {
            return Err(fields.error("ids in \"shown\", \"clicked\" or \"ordered\"", "none"));
        }
        Ok(())
    })
}
