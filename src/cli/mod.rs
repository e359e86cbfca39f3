//! The command line: one file per command, each with its arguments and `run`.
//!
//! To add a command: its file, a line among the modules, a variant of [`Command`] and its arm in [`run`].
//! Commands print through [`Output`] only; with `--json` the same facts come as JSON.

mod backfill;
mod call;
mod cells;
mod client_config;
mod connect;
mod demo;
mod doctor;
mod export;
mod fake_crm;
mod grid;
mod import;
mod init;
mod members;
mod migrate;
mod output;
mod query;
mod recompute;
mod route;
mod secret;
mod selection;
mod serve;
mod session;
mod skills;
mod sync;
mod tables;
mod tools;
mod worker;

use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::config::{Config, Layers};
use crate::error::{Result, internal};

pub use output::Output;
use session::{Session, SettingArgs};

/// Work with your CRM tables, and let sales copilots work with them over MCP
///
/// Five tables (leads, meetings, contacts, companies, clients) in SQLite or PostgreSQL. `opstables serve` is
/// the MCP server that a copilot starts; the other commands are for people.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100, after_help = FIRST_STEPS)]
pub struct Cli {
    #[command(flatten)]
    pub settings: SettingArgs,
    #[command(subcommand)]
    pub command: Command,
}

const FIRST_STEPS: &str = "First steps:
  opstables demo                      see a copilot at work on made-up data
  opstables init --org acme           make a database and an organization
  opstables import leads leads.csv    bring your own rows
  opstables query leads               look at them";

#[derive(Debug, Subcommand)]
pub enum Command {
    Serve(serve::Args),
    Init(init::Args),
    Demo(demo::Args),
    Import(import::Args),
    Backfill(backfill::Args),
    Export(export::Args),
    Query(query::Args),
    Route(route::Args),
    Call(call::Args),
    Tables(tables::Args),
    Members(members::Args),
    Tools(tools::Args),
    Skills(skills::Args),
    Connect(connect::Args),
    Sync(sync::Args),
    Worker(worker::Args),
    #[command(name = "fake-crm")]
    FakeCrm(fake_crm::Args),
    Migrate(migrate::Args),
    Recompute(recompute::Args),
    Doctor(doctor::Args),
}

/// How long the program waits at its end for what it has left to other threads.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// How a command that did not fail with an error ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Done,
    /// It printed what it was asked for, and that is bad news.
    Failed,
}

/// Runs the command.
pub fn run(cli: Cli, output: Output) -> Result<Status> {
    let mut flags = cli.settings.flags();
    if let Command::Serve(args) = &cli.command {
        flags.extend(args.flags());
    }
    let variable = |name: &str| std::env::var(name).ok();
    let config = Config::load(&Layers { flags, variable: &variable, file: cli.settings.config.clone() })?;
    session::log_to_stderr(&config);
    let session = Session { config, output };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(internal)?;
    let done = runtime.block_on(async {
        match cli.command {
            Command::Serve(args) => serve::run(&args, &session).await,
            Command::Init(args) => init::run(args, &session).await,
            Command::Demo(args) => demo::run(&args, &session).await,
            Command::Import(args) => import::run(args, &session).await,
            Command::Backfill(args) => backfill::run(args, &session).await,
            Command::Export(args) => export::run(args, &session).await,
            Command::Query(args) => query::run(args, &session).await,
            Command::Route(args) => route::run(args, &session).await,
            Command::Tables(args) => tables::run(args, &session).await,
            Command::Call(args) => call::run(args, &session).await,
            Command::Skills(args) => skills::run(args, &session).await,
            Command::Members(args) => members::run(args, &session).await,
            Command::Connect(args) => connect::run(args, &session).await,
            Command::Sync(args) => sync::run(args, &session).await,
            Command::Worker(args) => worker::run(&args, &session).await,
            Command::FakeCrm(args) => fake_crm::run(&args, &session).await,
            Command::Migrate(args) => migrate::run(&args, &session).await,
            Command::Recompute(args) => recompute::run(&args, &session).await,
            Command::Doctor(args) => doctor::run(&args, &session).await,
            Command::Tools(args) => tools::run(&args, &session),
        }
    });
    // A read of stdin that nobody waits for any more would keep the program until somebody writes there.
    runtime.shutdown_timeout(LAST_WORDS);
    done
}
