//! Measures retrieval: queries and graded judgements in BEIR's files, metrics that agree with
//! trec_eval's, a BM25 baseline, and runs in TREC's format.

mod beir;
mod bm25;
mod error;
mod histories;
mod metrics;
mod run;
mod significance;
mod strata;

pub use beir::{Qrels, Query, read_qrels, read_queries};
pub use bm25::Bm25;
pub use error::{Error, Result};
pub use histories::{History, read_histories};
pub use metrics::{Interval, Metrics, Scores, evaluate, evaluate_query, wilson};
pub use run::{Ranking, Run, read_run, write_run};
pub use significance::{Comparison, compare};
pub use strata::{Stratum, strata};
