//! Times and memory.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::Result;

/// The middle of an odd number of times.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// The middle of some figures; of none, none.
pub fn middle(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
}

/// Time of one call; its result is dropped outside of it.
pub fn time<T, E: Into<anyhow::Error>>(call: impl FnOnce() -> Result<T, E>) -> Result<Duration> {
    let start = Instant::now();
    let result = call().map_err(Into::into)?;
    let elapsed = start.elapsed();
    drop(result);
    Ok(elapsed)
}

/// Resident memory of this process in bytes, where the system tells.
pub fn resident() -> i64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages
        .split(' ')
        .nth(1)
        .and_then(|n| n.parse::<i64>().ok())
        .unwrap_or_default()
        * 4096
}
