//! Fine-tunes two-tower encoders.
mod batch;
mod bert;
mod checkpoint;
mod error;
mod estimate;
mod evaluate;
mod examples;
mod finish;
mod hybrid;
pub mod losses;
mod mine;
mod optimizer;
mod query_tower;
pub mod recipe;
mod report;
mod step;
mod tower;
mod trainer;
pub use bert::{Bert, Packed, Sizes};
pub use candle_core::Device;
pub use error::{Error, Result};
pub use estimate::{Estimate, estimate};
pub use finish::{
    Baseline, EvalReport, ModelReport, StageSpeed, SystemReport, Trained, Worst, run,
};
pub use recipe::Recipe;
pub use tower::Tower;
pub use trainer::{Observer, Options, Record, contrastive_batches};
