//! `opstables doctor`: what is set, whether everything works, and what to do about what does not. It changes
//! nothing.

mod checks;
mod connections;
mod derived;
mod webhooks;

use serde::Serialize;
use serde_json::Value;

use super::Status;
use super::client_config;
use super::grid::Grid;
use super::output::{BAD, FAINT, GOOD, STRONG, WARN, styled};
use super::session::Session;
use crate::config::Shown;
use crate::error::Result;

/// Check settings, database, organization and clock, and say how to repair what is wrong
///
/// Changes nothing. Exits with 1 when something does not work.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {}

const EXAMPLE: &str = "Example:
  opstables doctor --org acme";

#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    works: bool,
    settings: Vec<Shown>,
    checks: Vec<Check>,
    client_config: Value,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    state: State,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Good,
    Warning,
    Fault,
}

pub(super) async fn run(_: &Args, session: &Session) -> Result<Status> {
    let checks = checks::all(session).await?;
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        works: checks.iter().all(|check| check.state != State::Fault),
        settings: session.config.shown(),
        checks,
        client_config: client_config::client_config(&session.config),
    };
    session.output.result(&report, || show(&report, session))?;
    Ok(if report.works { Status::Done } else { Status::Failed })
}

impl Check {
    fn good(name: &'static str, found: impl Into<String>) -> Check {
        Check { name, state: State::Good, found: found.into(), fix: None }
    }

    fn warning(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Check {
        Check { name, state: State::Warning, found: found.into(), fix: Some(fix.into()) }
    }

    fn fault(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Check {
        Check { name, state: State::Fault, found: found.into(), fix: Some(fix.into()) }
    }
}

fn show(report: &Report, session: &Session) -> String {
    let mut settings = Grid::new(["setting", "value", "from"]);
    for setting in &report.settings {
        let value = setting.value.clone().unwrap_or_else(|| "(not set)".to_owned());
        settings.row([setting.key, &value, &setting.origin]);
    }
    let checks = report.checks.iter().map(line).collect::<Vec<_>>().join("\n");
    let verdict = if report.works {
        client_config::instructions(&session.config)
    } else {
        styled(STRONG, "Something does not work; the arrows say what to do.")
    };
    format!("opstables {}\n\n{}\n\n{checks}\n\n{verdict}", report.version, settings.render(None))
}

fn line(check: &Check) -> String {
    let mark = match check.state {
        State::Good => styled(GOOD, "✓"),
        State::Warning => styled(WARN, "!"),
        State::Fault => styled(BAD, "✗"),
    };
    let line = format!("{mark} {:<16} {}", check.name, check.found);
    match &check.fix {
        Some(fix) => format!("{line}\n  {:<16} {} {fix}", "", styled(FAINT, "→")),
        None => line,
    }
}
