//! The program: parse the command line, run the command, print its error.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use opstables::cli::{self, Cli, Output, Status};

/// A page of rows is hundreds of small texts, which the system's allocator takes a good part of the time for.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.settings.json);
    match cli::run(cli, output) {
        Ok(Status::Done) => ExitCode::SUCCESS,
        Ok(Status::Failed) => ExitCode::FAILURE,
        Err(error) => output.error(&error),
    }
}
