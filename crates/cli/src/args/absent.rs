//! The options of the commands that make models, in a build without these: any.

use std::ffi::OsString;

use clap::Args;

/// Any arguments.
#[derive(Debug, Args)]
pub struct AnyArgs {
    /// The arguments of a build with the command.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _arguments: Vec<OsString>,
}

pub type ExportArgs = AnyArgs;
pub type TrainArgs = AnyArgs;
