//! What becomes of changes that have not arrived.

use super::super::Status;
use super::super::connect::parse_system;
use super::super::session::Session;
use super::placeless;
use crate::error::{Result, conflict};
use crate::tools::retry_sync::{self, Done, RetryAction};

/// Which changes are meant; all of them when nothing is said.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// Rows, by their ids
    #[arg(value_name = "ROW")]
    rows: Vec<String>,
    /// Only for this CRM: hubspot or attio
    #[arg(long, value_name = "CRM")]
    system: Option<String>,
    /// Only of this table: contacts or companies
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
}

pub(super) async fn run(session: &Session, action: RetryAction, which: Which, yes: bool) -> Result<Status> {
    let system = which.system.as_deref().map(parse_system).transpose()?;
    let ctx = session.connect().await?.person();
    let mut args = retry_sync::Args { action, system, table: which.table, ids: which.rows, confirm: None };
    let mut done = retry_sync::run(ctx.clone(), args.clone()).await.map_err(placeless)?;
    if let Some(token) = done.confirm.take() {
        if !yes {
            let effect = done.effect.unwrap_or_default();
            return Err(conflict(format!("this {effect}")).hint("repeat it with --yes"));
        }
        args.confirm = Some(token);
        done = retry_sync::run(ctx, args).await.map_err(placeless)?;
    }
    session.output.result(&done, || {
        let lines = done.systems.iter().map(|done| show(action, done));
        lines.collect::<Vec<_>>().join("\n")
    })?;
    Ok(Status::Done)
}

fn show(action: RetryAction, done: &Done) -> String {
    let crm = done.system.label();
    let rows = if done.rows == 1 { "1 row".to_owned() } else { format!("{} rows", done.rows) };
    let changes = match action {
        RetryAction::Retry => format!("the changes of {rows} are sent again"),
        RetryAction::Discard => format!("the changes of {rows} are given up"),
        RetryAction::Pause => format!("the changes of {rows} are held back"),
        RetryAction::Resume => format!("the changes of {rows} are let go"),
    };
    let told = match (&done.inbound, done.events) {
        (Some(_), _) => " What it tells is taken in again.".to_owned(),
        (None, 0) => String::new(),
        (None, 1) => " 1 event that could not be taken in is tried again.".to_owned(),
        (None, events) => format!(" {events} events that could not be taken in are tried again."),
    };
    let said = match &done.connection {
        Some(state) if action == RetryAction::Pause => format!("{crm}: the connection is {state}."),
        Some(state) => format!("{crm}: the connection is {state}, {changes}."),
        None => format!("{crm}: {changes}."),
    };
    format!("{said}{told}")
}
