//! Progress bars.

use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use nearshelf_build::Progress;

/// A bar on standard error for each stage; silent where that is no terminal.
pub struct Bars(Mutex<ProgressBar>);

impl Bars {
    pub fn new() -> Self {
        Bars(Mutex::new(ProgressBar::hidden()))
    }

    fn bar(&self) -> std::sync::MutexGuard<'_, ProgressBar> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the last bar off the screen.
    pub fn finish(&self) {
        self.bar().finish_and_clear();
    }
}

impl Progress for Bars {
    fn stage(&self, name: &'static str, total: u64) {
        let template = match total {
            0 => "{msg} {spinner} {elapsed}",
            _ => "{msg} {bar:30} {human_pos}/{human_len} {per_sec}, {eta} left",
        };
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar =
            ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
        bar.set_style(style);
        bar.set_message(name);
        if total == 0 {
            bar.enable_steady_tick(std::time::Duration::from_millis(200));
        }
        let old = std::mem::replace(&mut *self.bar(), bar);
        old.finish_and_clear();
    }

    fn at(&self, done: u64) {
        self.bar().set_position(done);
    }
}
