//! The options of `nearshelf train` in a build without training: any.

use std::ffi::OsString;

use clap::Args;

/// Any arguments.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// The arguments of a build with training.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _arguments: Vec<OsString>,
}
