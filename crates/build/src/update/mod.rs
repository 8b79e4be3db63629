//! A shelf is brought up to date: its files stay as they are, and the manifest names some more.
//!
//! Rows of known items whose texts are what they were become new values of fields. New items, and those with other texts, become
//! shards that are added ([`delta`]); what is removed or made anew is noted as gone. A row that changes nothing costs nothing.

mod delta;
mod opened;
mod options;
mod publish;
mod rows;

use std::path::Path;

use nearshelf_catalog::Manifest;

use crate::error::Result;
use crate::items::Report;
use crate::make::open_catalog;
use crate::model::Model;
use crate::progress::Progress;
use crate::shelf::threads;
use crate::store::Store;
pub(crate) use opened::Opened;
pub use options::UpdateOptions;
pub(crate) use publish::Place;
pub use rows::Counts;
use rows::{Changed, read_changes};

/// The result of an update.
#[derive(Debug, Clone)]
pub struct Updated {
    /// The manifest as it is now.
    pub manifest: Manifest,
    /// Problems of the rows.
    pub report: Report,
    /// The rows by what became of them.
    pub counts: Counts,
    /// Bytes of the files that are new and that searches read, the manifest among them.
    pub bytes: u64,
}

/// Brings the shelf in a directory up to date. Whoever has it open goes on with what it was.
///
/// `model` gives the encoder of the items where the shelf carries another one for queries; without it the shelf's own is taken, or
/// the one at hand.
///
/// # Errors
/// Everything that can be wrong with the shelf, rows, model and disk, or another update at work. The shelf is then as it was.
pub fn update(
    shelf: &Path,
    model: Option<&Model>,
    options: &UpdateOptions,
    progress: &dyn Progress,
) -> Result<Updated> {
    let place = Place::new(shelf, options.out.as_deref())?;
    progress.stage("opening the shelf", 0);
    let opened = Opened::open(shelf)?;
    progress.stage("reading rows", 0);
    let Changed {
        items,
        changes,
        counts,
    } = read_changes(&opened, options)?;
    let mut manifest = opened.manifest.clone();
    let mut bytes = 0;
    if !items.ids.is_empty() {
        let own;
        let model = match model {
            Some(model) => opened.checked(model, "another one")?,
            None => {
                own = opened.model(options.at_hand)?;
                &own
            }
        };
        let threads = threads(options.threads);
        let kept = options.keep_vectors.as_deref();
        let delta = delta::make(&opened, &items, model, kept, &place, threads, progress)?;
        bytes += delta.bytes();
        delta.enter(&mut manifest);
    }
    if !changes.is_empty() {
        let file = place.write("changes", "nsc", &changes.to_bytes())?;
        bytes += file.bytes;
        manifest.changes.push(file);
    }
    if manifest != opened.manifest {
        progress.stage("counting", 0);
        let catalog = open_catalog(&manifest, |name| place.path(name))?;
        for (number, field) in manifest.fields.iter_mut().enumerate() {
            field.stats = catalog.living_stats(number)?;
        }
        bytes += manifest.to_bytes().len() as u64;
    }
    place.publish(&manifest, &opened, options.keep)?;
    Ok(Updated {
        manifest,
        report: items.report,
        counts,
        bytes,
    })
}
