//! Fine-tunes two-tower encoders on a shop's own signals: a [`Recipe`] says what is trained on what, [`run`]
//! trains, measures, quantizes and leaves a model directory with a report.
//!
//! Query and item tower share their weights; a smaller query tower can be distilled at the end. On the CPU
//! texts are packed and whole layers are operations of candle's with a backward pass of their own; on a GPU
//! (feature `cuda`) the same network is put together from candle's operations.

mod batch;
mod bert;
mod checkpoint;
mod draws;
mod error;
mod estimate;
mod evaluate;
mod examples;
mod finish;
mod hybrid;
mod journal;
pub mod losses;
mod material;
mod mine;
mod optimizer;
mod options;
mod provenance;
mod prune;
mod query_tower;
pub mod recipe;
mod report;
mod results;
mod seed;
mod stage;
mod step;
mod tower;
mod trainer;

pub use bert::{Bert, Packed, Sizes};
pub use candle_core::Device;
pub use draws::contrastive_batches;
pub use error::{Error, Result};
pub use estimate::{Estimate, estimate};
pub use finish::{Baseline, run};
pub use journal::Record;
pub use options::{Observer, Options};
pub use recipe::Recipe;
pub use results::{EvalReport, ModelReport, StageSpeed, SystemReport, Trained, Worst};
pub use tower::Tower;
