//! nearshelf's own format: JSON Lines, a [`Judged`] a line.

use std::path::Path;

use nearshelf_files::write_whole;

use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::judged::{Event, Judged, Judgement};
use crate::sink::Sink;

pub(crate) fn read(path: &Path, sink: &mut Sink) -> Result<()> {
    sink.rows(path, &mut |fields, rows| {
        rows.push(Judged {
            query: fields.required("query")?,
            item: fields.required("item")?,
            item_id: fields.text("item_id")?,
            judgement: judgement(fields)?,
            weight: weight(fields, "weight")?,
            vertical: fields.text("vertical")?,
        });
        Ok(())
    })
}

/// `grade` or `event`; without either the row is a pair that fits, of grade 1.
fn judgement(fields: &Fields<'_>) -> Result<Judgement> {
    match (fields.number("grade")?, fields.text("event")?) {
        (Some(_), Some(event)) => Err(fields.error(
            "\"grade\" or \"event\"",
            format!("both, the event {event:?}"),
        )),
        (Some(grade), None) => Ok(Judgement::Grade(grade)),
        (None, Some(name)) => event(fields, &name).map(Judgement::Event),
        (None, None) => Ok(Judgement::Grade(1.0)),
    }
}

pub(crate) fn event(fields: &Fields<'_>, name: &str) -> Result<Event> {
    match name {
        "ordered" => Ok(Event::Ordered),
        "clicked" => Ok(Event::Clicked),
        "shown" => Ok(Event::Shown),
        _ => Err(fields.error(
            format!("{} in \"event\"", Event::NAMES),
            format!("{name:?}"),
        )),
    }
}

/// A weight above 0; 1 where there is none.
pub(crate) fn weight(fields: &Fields<'_>, name: &str) -> Result<f32> {
    match fields.number(name)? {
        None => Ok(1.0),
        Some(weight) if weight > 0.0 => Ok(weight),
        Some(weight) => {
            Err(fields.error(format!("a number above 0 in {name:?}"), weight.to_string()))
        }
    }
}

/// Writes rows in the canonical format.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, rows: &[Judged]) -> Result<()> {
    write_whole(path, |out| {
        for row in rows {
            serde_json::to_writer(&mut *out, row)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    })
    .map_err(|e| Error::io(path, e))
}
