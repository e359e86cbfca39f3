//! The program: parse the command line, run the command, print its error.

use std::process::ExitCode;

use clap::Parser;
use opstables::cli::{self, Cli, Output, Status};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.settings.json);
    match cli::run(cli, output) {
        Ok(Status::Done) => ExitCode::SUCCESS,
        Ok(Status::Failed) => ExitCode::FAILURE,
        Err(error) => output.error(&error),
    }
}
