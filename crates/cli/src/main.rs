//! The `nearshelf` command.

mod args;
mod commands;
mod demo;
mod output;
mod progress;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use nearshelf::ErrorKind;

use args::{Cli, Command};

fn main() -> ExitCode {
    // What the runtime has to say of a model, and nothing of the libraries below it.
    env_logger::Builder::new()
        .filter_module("nearshelf_lower", log::LevelFilter::Warn)
        .format(|to, record| writeln!(to, "warning: {}", record.args()))
        .init();
    let result = match Cli::parse().command {
        Command::Train(args) => commands::train::run(&args),
        Command::Export(args) => commands::export::run(&args),
        Command::Encode(args) => commands::encode::run(&args),
        Command::Build(args) => commands::build::run(&args),
        Command::Update(args) => commands::update::run(&args),
        Command::Compact(args) => commands::compact::run(&args),
        Command::Search(args) => commands::search::run(&args),
        Command::Suggest(args) => commands::suggest::run(&args),
        Command::Similar(args) => commands::recommend::similar(&args),
        Command::Recommend(args) => commands::recommend::recommend(&args),
        Command::Types(args) => commands::types::run(&args),
        Command::Eval(args) => commands::eval::run(&args),
        Command::Inspect(args) => commands::inspect::run(&args),
        Command::Verify(args) => commands::verify::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", message(&error));
            exit_code(&error)
        }
    }
}

/// 2 where the caller asked for something that there is not, 1 for every other failure.
fn exit_code(error: &anyhow::Error) -> ExitCode {
    let kind = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<nearshelf::Error>())
        .map(nearshelf::Error::kind);
    match kind {
        Some(ErrorKind::Usage) => ExitCode::from(2),
        None
        | Some(
            ErrorKind::Io
            | ErrorKind::Missing
            | ErrorKind::Damaged
            | ErrorKind::Altered
            | ErrorKind::TooNew
            | ErrorKind::Unsupported
            | ErrorKind::Encoding,
        ) => ExitCode::FAILURE,
    }
}

/// An error and its causes in one line. Libraries' errors name their cause themselves, so that a cause
/// which the line already ends with is not said again.
fn message(error: &anyhow::Error) -> String {
    let mut line = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !line.ends_with(&cause) {
            line += &format!(": {cause}");
        }
    }
    line
}
