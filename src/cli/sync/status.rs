//! How synchronization is doing, for people.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::json;

use super::super::connect::parse_system;
use super::super::grid::Grid;
use super::super::output::{BAD, FAINT, GOOD, STRONG, WARN, styled, width};
use super::super::session::Session;
use super::super::{Status, cells};
use super::placeless;
use crate::error::Result;
use crate::sync::status::{Connected, Failing, Figures, Health, Level, spoken};
use crate::tools::sync_status::{self, Output};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this table: contacts or companies
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// Only this CRM: hubspot or attio
    #[arg(long, value_name = "CRM")]
    system: Option<String>,
}

pub(super) async fn run(args: Args, session: &Session) -> Result<Status> {
    let system = args.system.as_deref().map(parse_system).transpose()?;
    let ctx = session.connect().await?.person();
    let (tx, catalog) = ctx.read().await?;
    drop(tx);
    let asked = sync_status::Args { table: args.table, system };
    let found = sync_status::run(ctx, asked).await.map_err(placeless)?;
    session.output.result(&found, || show(&found, catalog.zone))?;
    Ok(Status::Done)
}

fn show(found: &Output, zone: Tz) -> String {
    if let Some(note) = &found.note {
        return note.clone();
    }
    let status = &found.status;
    let mut parts: Vec<String> = status.connections.iter().map(|it| connection(it, zone)).collect();
    parts.push(status.health.iter().map(health).collect::<Vec<_>>().join("\n"));
    if !status.failing.is_empty() {
        parts.push(failing(&status.failing, zone));
    }
    parts.join("\n\n")
}

fn connection(it: &Connected, zone: Tz) -> String {
    let state = match it.state.as_str() {
        "active" => styled(GOOD, "active"),
        "paused" => styled(WARN, "paused"),
        other => styled(BAD, other),
    };
    let name = styled(STRONG, it.system.label());
    let mut lines = vec![format!("{name}  {} ({}), {state}", it.account_name, it.account)];
    if let Some(reason) = &it.reason {
        lines.push(format!("  {reason}"));
    }
    let last = it.last_success_at.map_or_else(|| "never".to_owned(), |at| moment(at, zone));
    lines.push(format!("  last arrival {last}"));
    if let Some(failure) = it.last_failure.as_ref().zip(it.last_failure_at) {
        lines.push(format!("  last failure {}: {}", moment(failure.1, zone), failure.0));
    }
    if let Some(held) = &it.held {
        let since = moment(held.since, zone);
        lines.push(styled(WARN, format!("  what it tells is held back since {since}: {}", held.reason)));
        lines.push(format!("  `opstables sync resume --system {}` takes it in", it.system.name()));
    }
    let told = it.inbound.said();
    if !told.is_empty() {
        lines.push(format!("  what it tells: {}", told.join("; ")));
    }
    if it.inbound.dead > 0 {
        lines.push(format!("  `opstables sync retry --system {}` tries them again", it.system.name()));
    }
    if let Some(next) = it.next_retry_at {
        lines.push(format!("  next try {}", moment(next, zone)));
    }
    let headings =
        ["table", "linked", "waiting", "sending", "held back", "refused", "oldest", "a minute", "conflicts"];
    let mut grid = Grid::new(headings);
    for table in &it.tables {
        let oldest = table.oldest_pending_secs.map_or_else(String::new, spoken);
        let numbers = [table.linked, table.pending, table.sending, table.paused, table.dead];
        let mut row = vec![table.table.clone()];
        row.extend(numbers.map(|number| number.to_string()));
        row.extend([oldest, table.per_minute.to_string(), table.open_conflicts.to_string()]);
        grid.row(row);
    }
    lines.push(String::new());
    lines.push(grid.render(width()));
    let read = it.tables.iter().filter_map(|table| reading(table, zone));
    lines.extend(read);
    lines.join("\n")
}

/// When a table was last read from the CRM.
fn reading(table: &Figures, zone: Tz) -> Option<String> {
    let polled = table.last_poll_at?;
    let whole =
        table.last_sweep_at.map_or_else(String::new, |at| format!(", all of it {}", moment(at, zone)));
    let behind = table.behind_secs.map_or_else(String::new, |secs| format!(", {} behind", spoken(secs)));
    Some(format!("  {} read {}{whole}{behind}", table.table, moment(polled, zone)))
}

fn health(it: &Health) -> String {
    let level = match it.level {
        Level::Healthy => styled(GOOD, "healthy"),
        Level::Warning => styled(WARN, "warning"),
        Level::Error => styled(BAD, "error"),
    };
    let said: Vec<&str> =
        std::iter::once(level.as_str()).chain(it.reasons.iter().map(String::as_str)).collect();
    format!("{}: {}", it.table, said.join(", "))
}

fn failing(lines: &[Failing], zone: Tz) -> String {
    let mut grid = Grid::new(["row", "crm", "columns", "tries", "next try", "why", "call"]);
    for line in lines {
        let next = line.next_try_at.map_or_else(|| "refused".to_owned(), |at| moment(at, zone));
        grid.row([
            format!("{} {}", line.table, line.row_id),
            line.system.label().to_owned(),
            line.columns.join(", "),
            line.attempts.to_string(),
            next,
            line.message.clone(),
            line.correlation_id.clone().unwrap_or_default(),
        ]);
    }
    let more = "`opstables sync retry` sends them again, `opstables sync discard` gives refused ones up.";
    format!("{}\n\n{}", grid.render(None), styled(FAINT, more))
}

/// A moment as people of the organization read it.
pub(super) fn moment(at: DateTime<Utc>, zone: Tz) -> String {
    let at = DateTime::from_timestamp(at.timestamp(), 0).unwrap_or(at);
    cells::text(&json!(at), zone)
}
